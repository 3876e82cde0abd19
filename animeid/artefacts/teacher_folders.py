"""The folders of runs and artefacts that `teacher=` names, without a look into them."""

from __future__ import annotations

from pathlib import Path

from animeid.artefacts.config_file import is_artefact
from animeid.artefacts.hub import PREFIX, artefact_folder
from animeid.runs.several import run_paths


def teacher_folders(given: str | None) -> list[Path]:
    """Those of a folder, of patterns with colons between, or of `hub:USER/NAME`; none where nobody teaches.

    Raises:
        InputError: the hub has none, or cannot be reached.
    """
    if given is None:
        return []
    return [artefact_folder(given)] if given.startswith(PREFIX) else run_paths(given, is_artefact)
