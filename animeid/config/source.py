"""Finds classes and functions in source text, importing nothing.

Importing torch alone takes seconds, and a mistake on the command line must be answered before that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OWN = "animeid."
"""What the names of our own modules begin with."""

Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Found:
    """A class or function, and the module whose text defines it."""

    module: str
    node: Definition


@dataclass
class Names:
    """The names of a module's top level.

    imports: name to (module, its name there); the name there is None for `import module`.
    stars: modules of `from module import *`.
    values: right-hand sides of assignments.
    """

    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    values: dict[str, ast.expr] = field(default_factory=dict)


@cache
def module_file(module: str) -> Path | None:
    """The source file of a module; None where there is none."""
    top, *rest = module.split(".")
    # Only the top package is asked for: find_spec imports the parents of anything deeper.
    spec = find_spec(top) if top else None
    if spec is None:
        return None
    if not rest and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for location in spec.submodule_search_locations or ():
        package = Path(location, *rest)
        for file in (package / "__init__.py", package.with_name(f"{package.name}.py")):
            if file.is_file():
                return file
    return None


@cache
def module_names(module: str) -> Names:
    """The names that the text of a module defines; none where there is no such module."""
    file = module_file(module)
    names = Names()
    if file is not None:
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for statement in _statements(ast.parse(file.read_text(encoding="utf-8")).body):
            _take(statement, package, names)
    return names


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of the top level, those inside `if` and `try` included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)


def _take(statement: ast.stmt, package: str, names: Names) -> None:
    match statement:
        case ast.ClassDef() | ast.FunctionDef():
            names.definitions[statement.name] = statement
        case ast.ImportFrom():
            _take_import_from(statement, package, names)
        case ast.Import():
            for alias in statement.names:
                names.imports[alias.asname or alias.name.partition(".")[0]] = (alias.name, None)
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            names.values[name] = value
        case _:
            pass


def _take_import_from(statement: ast.ImportFrom, package: str, names: Names) -> None:
    module = statement.module or ""
    if statement.level:
        parents = package.split(".")[: len(package.split(".")) - statement.level + 1]
        module = ".".join([*parents, module]) if module else ".".join(parents)
    for alias in statement.names:
        if alias.name == "*":
            names.stars.append(module)
        else:
            names.imports[alias.asname or alias.name] = (module, alias.name)


def find(module: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> Found | None:
    """The definition that `module.name` leads to, through imports and plain aliases; None where there is none."""
    if (module, name) in seen:
        return None
    seen |= {(module, name)}
    names = module_names(module)
    if name in names.definitions:
        return Found(module, names.definitions[name])
    if name in names.imports:
        source, original = names.imports[name]
        return find(source, original, seen) if original else None
    value = names.values.get(name)
    if isinstance(value, ast.Name):
        return find(module, value.id, seen)
    return next((found for star in names.stars if (found := find(star, name, seen))), None)
