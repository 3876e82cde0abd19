"""Pictures of a run that are gone, or whose files hold something else now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from animeid.data.duplicates.fingerprints import content_of
from animeid.data.shards.read import is_there
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.system.console import counted, some_of
from animeid.system.progress import progress

if TYPE_CHECKING:
    import pandas as pd

NAMED = 5
"""How many pictures a sentence names at most."""


def refuse_missing(folder: RunFolder, root: Path, paths: Iterable[str]) -> None:
    """Raises:
    InputError: pictures of the run are not there.
    """
    missing = [path for path in paths if not is_there(root / path)]
    if missing:
        raise InputError(
            f"{counted(len(missing), 'picture')} of the run {folder.path} cannot be found, such as "
            f"{root / missing[0]}: put them back, or begin a new run without them"
        )


def changed(root: Path, table: pd.DataFrame, since: float | None = None) -> list[str]:
    """A sentence about pictures whose files do not hold what the run was made with; none where there are no such.

    Args:
        root: where they lie.
        table: rows of the run's manifest.
        since: only files that were written or put there after this time, in seconds, are read.
    """
    known = table[table["sha256"] != ""]
    if since is not None:
        known = known[[_put_there(root / path) > since for path in known["path"]]]
    now = [content_of(root / path) for path in progress(known["path"], len(known), "checking pictures")]
    names = [path for path, was, new in zip(known["path"], known["sha256"], now, strict=True) if was != new]
    if not names:
        return []
    sentence = (
        f"WARNING: {counted(len(names), 'file', 'are')} not what the run was made with, so that other figures will "
        f"come out: {some_of(names, NAMED)}"
    )
    return [sentence]


def _put_there(path: Path) -> float:
    """When a file was written, moved or copied there, whatever time of writing came with it; of one in a shard, now."""
    try:
        return path.stat().st_ctime
    except OSError:
        return float("inf")
