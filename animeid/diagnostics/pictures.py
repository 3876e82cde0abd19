"""Facts of a picture folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from animeid.data.picture_files import format_of
from animeid.data.prepare import Prepared
from animeid.data.settings import DataSettings
from animeid.imaging.decode import UnreadableImage
from animeid.types import LabelStats

ENDINGS = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "PNG": {".png", ".apng"},
    "BMP": {".bmp"},
    "WEBP": {".webp"},
    "GIF": {".gif"},
    "AVIF": {".avif"},
}
PARTS = ("train", "val", "test", "unknown", "excluded")
FEW_GROUPS = 5
"""Below so many groups a class has no interval of its own, and its parts hold a picture or two."""


@dataclass(frozen=True)
class Part:
    """Pictures, groups of pictures that belong together, and classes."""

    pictures: int
    groups: int
    classes: int


@dataclass(frozen=True)
class Pictures:
    """A data set.

    stats: classes with their training pictures.
    counts: usable pictures of each class, the largest first. groups: groups of each class.
    formats: pictures by what their content is. misnamed: paths that end in another format's ending.
    skipped: columns path, reason. duplicates, conflicts: as in `Prepared`.
    short_sides: `[N]` int64 pixels.
    parts: those that have pictures.
    notes: what training would say.
    """

    stats: LabelStats
    counts: dict[str, int]
    groups: dict[str, int]
    formats: dict[str, int]
    misnamed: tuple[str, ...]
    skipped: pd.DataFrame
    duplicates: pd.DataFrame
    conflicts: pd.DataFrame
    short_sides: np.ndarray
    parts: dict[str, Part]
    notes: tuple[str, ...]

    @property
    def imbalance(self) -> float:
        """Pictures of the largest class over those of the smallest."""
        return max(self.counts.values()) / min(self.counts.values())

    @property
    def scarce(self) -> list[str]:
        """Classes with fewer than `FEW_GROUPS` groups, the smallest first."""
        return sorted((name for name, count in self.groups.items() if count < FEW_GROUPS), key=self.groups.__getitem__)

    def duplicates_of(self, kind: str) -> int:
        return int((self.duplicates["kind"] == kind).sum())

    def conflicts_of(self, kind: str) -> int:
        return int((self.conflicts["kind"] == kind).sum())


def look_at_pictures(prepared: Prepared, settings: DataSettings) -> Pictures:
    """The facts of prepared pictures; opens each file once more for its format."""
    table = prepared.manifest.table
    used = table[(table["target"] >= 0) & (table["split"] != "excluded")]
    sizes = used["label"].value_counts()
    train = np.bincount(used.loc[used["split"] == "train", "target"], minlength=len(prepared.labels))
    bounds = {"many_above": settings.many_above, "few_below": settings.few_below}
    formats, misnamed = _formats(prepared)
    return Pictures(
        stats=LabelStats.from_counts(prepared.labels, torch.tensor(train), **bounds),
        counts={str(name): int(count) for name, count in sizes.items()},
        groups={str(name): int(count) for name, count in used.groupby("label")["group"].nunique().items()},
        formats=formats,
        misnamed=misnamed,
        skipped=prepared.skipped,
        duplicates=prepared.duplicates,
        conflicts=prepared.conflicts,
        short_sides=table[["width", "height"]].min(axis=1).to_numpy(np.int64),
        parts={part: _part(rows) for part in PARTS if len(rows := table[table["split"] == part])},
        notes=prepared.notes,
    )


def _part(rows: pd.DataFrame) -> Part:
    return Part(len(rows), rows["group"].nunique(), rows.loc[rows["target"] >= 0, "target"].nunique())


def _formats(prepared: Prepared) -> tuple[dict[str, int], tuple[str, ...]]:
    found: Counter[str] = Counter()
    misnamed = []
    for path in prepared.manifest.table["path"]:
        file = prepared.manifest.root / path
        try:
            name = format_of(file)
        except UnreadableImage:  # it could be read a moment ago: somebody is working in the folder
            continue
        found[name] += 1
        if file.suffix.lower() not in ENDINGS[name]:
            misnamed.append(path)
    return dict(found.most_common()), tuple(misnamed)
