"""Code of the user's own, outside the package: what the command line names, and nothing else, may be imported.

A card or a run's `config.yaml` may come from anyone and could name any code, so that neither can allow it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from animeid.config.arguments import keys_of
from animeid.errors import InputError
from animeid.system.console import say_beside
from animeid.system.names import expanded

KEY = "code"
ALLOWED = "ANIMEID_CODE"
"""The environment's variable with the modules that are allowed: processes that this one starts are of the same mind."""


def prefixes() -> tuple[str, ...]:
    """What the names of allowed classes begin with."""
    return tuple(f"{module}." for module in os.environ.get(ALLOWED, "").split(":") if module)


def allow(code: str | None, overrides: Sequence[str]) -> None:
    """Allows cards to name classes of a folder or module, for this process and those that it starts.

    Args:
        code: a folder, whose name is then that of a package, or a module that Python finds.
        overrides: of the command line, `key=value` each, which alone can allow it.

    Raises:
        InputError: something else than the command line names it, or no such code is found.
    """
    if code is None:
        return
    if KEY not in keys_of(overrides):
        raise InputError(f"{KEY}={code} is set by a card, and only the command line can allow code: write it there")
    folder = Path(expanded(KEY, code))
    module = _package(folder) if folder.is_dir() else _module(code)
    if f"{module}." not in prefixes():
        os.environ[ALLOWED] = ":".join([*(name.rstrip(".") for name in prefixes()), module])
        say_beside(f"code={code} allows code that is not animeid's own: cards can name classes of {module}")


def _package(folder: Path) -> str:
    """The package that a folder is, once its parent is looked into; last, so that it hides nothing."""
    name, parent = folder.resolve().name, str(folder.resolve().parent)
    if not name.isidentifier():
        raise InputError(f"code={folder} is no name of a package: rename the folder to letters, digits and '_'")
    if parent not in sys.path:
        sys.path.append(parent)
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = parent if before is None else os.pathsep.join([before, parent])
    spec = find_spec(name)
    places = [] if spec is None else [Path(place).resolve() for place in spec.submodule_search_locations or ()]
    if folder.resolve() not in places:
        raise InputError(f"code={folder} has the name of another package that is installed here: rename the folder")
    return name


def _module(name: str) -> str:
    top = name.partition(".")[0]
    if not all(word.isidentifier() for word in name.split(".")) or find_spec(top) is None:
        raise InputError(f"code={name} is neither a folder nor a module that Python finds: give the folder's path")
    return name
