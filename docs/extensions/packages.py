"""The package as its source text tells it: rooms, modules, first lines. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "animeid"


@dataclass(frozen=True)
class Module:
    """A file, or a folder with its files.

    name: dotted, such as `animeid.losses.focal`.
    doc: its docstring; empty where it has none.
    inner: the modules of a folder, folders last.
    """

    name: str
    doc: str
    is_room: bool = False
    inner: tuple[Module, ...] = field(default=())

    @property
    def title(self) -> str:
        """The docstring's first sentence or line, without a full stop."""
        return " ".join(self.doc.partition("\n\n")[0].split()).rstrip(".")

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]

    def walk(self) -> Iterator[Module]:
        """Itself and everything inside."""
        yield self
        for module in self.inner:
            yield from module.walk()


def read_package(folder: Path = PACKAGE, name: str = "animeid") -> Module:
    """A package and all that is in it."""
    files = sorted(file for file in folder.glob("*.py") if file.stem != "__init__")
    folders = sorted(inner.parent for inner in folder.glob("*/__init__.py"))
    modules = [Module(f"{name}.{file.stem}", docstring(file)) for file in files]
    rooms = [read_package(inner, f"{name}.{inner.name}") for inner in folders]
    return Module(name, docstring(folder / "__init__.py"), is_room=True, inner=(*modules, *rooms))


def docstring(file: Path) -> str:
    """A module's docstring; empty where it has none."""
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def rooms() -> list[Module]:
    """The folders at the top of the package."""
    return [module for module in read_package().inner if module.is_room]


def loose_files() -> list[Module]:
    """The files at the top of the package."""
    return [module for module in read_package().inner if not module.is_room]
