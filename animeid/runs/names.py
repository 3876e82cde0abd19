"""Names by which runs are told apart on a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from animeid.runs.folder import MULTIRUN_RECORD
from animeid.system.files import read_json


def names_of(paths: Sequence[Path]) -> list[str]:
    """What the jobs of one multirun differ in, `loss=focal seed=2`; of other runs, their folders' names."""
    words = [_words(path) for path in paths]
    same_multirun = len({path.resolve().parent for path in paths}) == 1
    if not same_multirun or not all(words):
        return short_names(paths)
    keys = [
        key for key in dict.fromkeys(key for one in words for key in one) if len({one.get(key) for one in words}) > 1
    ]
    names = [" ".join(f"{key}={one[key]}" for key in keys if key in one) for one in words]
    return names if len(set(names)) == len(names) and all(names) else short_names(paths)


def _words(path: Path) -> dict[str, str]:
    """The overrides of a multirun's job and its seed; empty where the run is none."""
    record = path.parent / MULTIRUN_RECORD
    jobs = read_json(record)["jobs"] if record.is_file() else []
    return next(
        ({**job["overrides"], "seed": str(job["seed"])} for job in jobs if str(job["job"]) == path.name),
        {},
    )


def short_names(paths: Sequence[Path]) -> list[str]:
    """What tells the folders apart: their names, with as many parents as are needed."""
    parts = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def home_of(paths: Sequence[Path]) -> Path:
    """The folder in which all of the folders lie."""
    parents = [path.parent for path in paths]
    return next(
        folder for folder in (parents[0], *parents[0].parents) if all(folder in (p, *p.parents) for p in parents)
    )
