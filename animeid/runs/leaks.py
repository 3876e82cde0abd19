"""Leaks from earlier runs into val and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from animeid.data.cache.home import cache_home
from animeid.data.duplicates.trained import trained_before, trained_by_digests
from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.lineage import Lineage, lineage, with_ancestors
from animeid.runs.saved import SavedRun
from animeid.system.console import counted
from animeid.terms import EVALUATED_SPLITS


@dataclass(frozen=True)
class Seen:
    """rows: `[N]` bool, the pictures that something was trained on. runs: what that was. notes: for the user."""

    rows: np.ndarray
    runs: tuple[Path, ...]
    notes: tuple[str, ...]

    def named(self) -> str:
        return " and ".join(map(str, self.runs))

    def beside(self, other: Seen) -> Seen:
        """What either has seen."""
        notes = dict.fromkeys((*self.notes, *other.notes))
        return Seen(self.rows | other.rows, (*self.runs, *other.runs), tuple(notes))


@dataclass(frozen=True)
class Leaks:
    """counts: pictures of val and of test that earlier runs were trained on. notes: sentences for the user."""

    counts: dict[str, int]
    notes: tuple[str, ...]


def seen_by(earlier: Lineage, manifest: Manifest, judged: np.ndarray, max_pixels: int, cache: str) -> Seen:
    """Which pictures were in the training of any of the runs.

    Args:
        earlier: the runs.
        manifest: the pictures.
        judged: `[N]` bool, those that a figure will rest on; near duplicates are looked for among these alone.
        max_pixels, cache: as in `DataSettings`.
    """
    rows, runs, notes = np.zeros(len(manifest.table), dtype=bool), [], [*earlier.notes]
    for run in earlier.runs:
        found = trained_before(manifest, SavedRun(run).manifest, judged, max_pixels, cache_home(cache))
        if found.rows.any():
            runs.append(run.path)
        if found.unread:
            notes.append(
                f"{found.unread} training pictures of {run.path} are not there any more: of these, only exact copies "
                "were looked for"
            )
        notes += found.notes
        rows |= found.rows
    return Seen(rows, tuple(runs), tuple(notes))


def seen_by_digests(path: Path, digests: np.ndarray, manifest: Manifest) -> Seen:
    """Which pictures were in the training of what kept the digests of its own (see `animeid.data.duplicates.digests`).

    Args:
        path: where it lies.
        digests: of its training pictures.
        manifest: the pictures.
    """
    found = trained_by_digests(manifest, digests)
    note = (
        f"of what {path} was trained on, {counted(found.unread, 'picture', 'are')} not among these: of such, only "
        "exact copies were looked for"
    )
    return Seen(found.rows, (path,) if found.rows.any() else (), (note,) if found.unread else ())


def check_leaks(plan: Mapping[str, Any], manifest: Manifest) -> Leaks | None:
    """What the runs that a plan's weights come from have seen of val and test; None where there is no such run.

    Raises:
        InputError: they were trained on pictures of test, and `data.leaks` is not `report`.
    """
    earlier, data = lineage(plan), plan["data"]
    if not earlier.runs:
        return None
    seen = _seen(earlier, manifest, data)
    counts = _counts(seen, manifest)
    if counts["test"] and data["leaks"] != "report":
        origin = f"from_run={plan['from_run']}" if plan["from_run"] else f"model.weights={plan['model']['weights']}"
        raise InputError(
            f"of the test part, {counted(counts['test'], 'picture', 'were')} in the training of {seen.named()}, "
            f"where {origin} comes "
            "from, so that it would not be judged honestly: keep to that run's split (the column split of its "
            "manifest.parquet), or take data.leaks=report to go on and have it said"
        )
    return Leaks(counts, (*seen.notes, *_told(seen, counts)))


def check_teacher(
    teachers: Sequence[RunFolder], data: Mapping[str, Any], manifest: Manifest, others: Sequence[Seen] = ()
) -> Leaks:
    """What the runs that teach, and those that their weights come from, have seen of val and test.

    Val chooses the epoch that is kept, so that it is refused as test is: a teacher knows its own pictures by heart, and
    hands that on.

    Args:
        teachers: the runs.
        data: the settings of the pictures.
        manifest: the pictures.
        others: what teachers have seen that are no runs.

    Raises:
        InputError: they were trained on pictures of val or test, and `data.leaks` is not `report`.
    """
    lineages = [with_ancestors(teacher) for teacher in teachers]
    runs = dict.fromkeys(run for one in lineages for run in one.runs)
    earlier = Lineage(tuple(runs), tuple(dict.fromkeys(note for one in lineages for note in one.notes)))
    seen = reduce(Seen.beside, others, _seen(earlier, manifest, data))
    counts = _counts(seen, manifest)
    for part in ("test", "val"):
        if counts[part] and data["leaks"] != "report":
            raise InputError(
                f"of the {part} part, {counted(counts[part], 'picture', 'were')} in the training of {seen.named()}, "
                "which teaches here, so that it would not be judged honestly: keep to that run's split (the column "
                "split of its manifest.parquet, or the same data.split_seed and data.fold), or take data.leaks=report "
                "to go on and have it said"
            )
    return Leaks(counts, (*seen.notes, *_told(seen, counts)))


def _seen(earlier: Lineage, manifest: Manifest, data: Mapping[str, Any]) -> Seen:
    """What earlier runs were trained on."""
    judged = manifest.table["split"].isin(EVALUATED_SPLITS).to_numpy()
    return seen_by(earlier, manifest, judged, data["max_pixels"], data["cache"])


def _counts(seen: Seen, manifest: Manifest) -> dict[str, int]:
    """How many pictures of val and of test were seen."""
    return {part: int((seen.rows & (manifest.table["split"] == part)).sum()) for part in EVALUATED_SPLITS}


def _told(seen: Seen, counts: Mapping[str, int]) -> list[str]:
    return [
        f"of {part}, {counted(count, 'picture', 'were')} in the training of {seen.named()}: the figures of "
        f"{part} are better than "
        "they would be on new pictures"
        for part, count in counts.items()
        if count
    ]
