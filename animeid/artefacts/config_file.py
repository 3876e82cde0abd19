"""Reading an artefact's JSON, or saying why a folder is no artefact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from animeid.artefacts.checksums import AGAIN
from animeid.artefacts.layout import CONFIG, FORMAT, OURS
from animeid.errors import InputError


def is_artefact(folder: Path) -> bool:
    """Whether a folder is one, whole or not; runs have no such file."""
    return (folder / CONFIG).is_file()


def read_config(folder: Path) -> dict[str, Any]:
    """Raises:
    InputError: there is no artefact, or it is of a newer format.
    """
    if not folder.is_dir():
        raise InputError(f"there is no artefact {folder}: give the folder that animeid.export wrote")
    if not is_artefact(folder):
        raise InputError(f"{folder} is no artefact, for it has no {CONFIG}: give the folder that animeid.export wrote")
    config = read_json(folder / CONFIG)
    own = config.get(OURS) if isinstance(config, dict) else None
    if not isinstance(own, dict) or not isinstance(own.get("format"), int):
        raise InputError(
            f"{folder} is no artefact of animeid, for {CONFIG} has no key '{OURS}' with a format: give the folder that "
            "animeid.export wrote"
        )
    if own["format"] > FORMAT:
        raise InputError(
            f"the artefact {folder} is of format {own['format']}, and this version of animeid reads up to {FORMAT}: "
            "install a newer animeid"
        )
    return config


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read, for it is damaged: {AGAIN}") from error


def read_json_if_there(path: Path) -> Any:
    return read_json(path) if path.is_file() else None
