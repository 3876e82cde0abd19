"""Notebooks and a sweep file: inside the package where it was installed, beside it in a checkout."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.system.console import counted, say
from animeid.system.output import check_place

PACKAGE = Path(__file__).resolve().parents[1]
PLACES = ("notebooks/*.ipynb", "experiments/sweeps/*.yaml")
"""Where the files lie in a checkout; a wheel has the same folders in `examples_of_animeid`."""
INSTALLED = "examples_of_animeid"


def example_files(package: Path = PACKAGE) -> list[Path]:
    """Raises:
    InputError: the package was installed without them.
    """
    for folder in (package / INSTALLED, package.parent):
        if found := sorted(path for place in PLACES for path in folder.glob(place)):
            return found
    raise InputError(
        f"the examples are neither in {package / INSTALLED} nor in {package.parent}: install animeid again"
    )


def write(request: Mapping[str, Any]) -> None:
    """Writes the files into the folder `request["output"]`; none that is there is overwritten.

    Raises:
        InputError: one is there already, or nothing can be written there.
    """
    folder, files = Path(request["output"]), example_files()
    check_place(f"output={folder}", folder)
    if there := [path.name for path in files if (folder / path.name).exists()]:
        raise InputError(f"{folder / there[0]} is there already and is not overwritten: name another folder in output")
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copy(path, folder / path.name)
    say(f"{counted(len(files), 'file', 'were')} written to {folder}: {', '.join(path.name for path in files)}")
