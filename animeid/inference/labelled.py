"""Pictures to evaluate a finished run on: a part of its own, or new labelled ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest, targets_by_label
from animeid.data.prepare import read_labelled
from animeid.data.settings import DataSettings
from animeid.data.spellings import spelling_notes
from animeid.errors import InputError
from animeid.runs.changed import changed, refuse_missing
from animeid.runs.folder import RunFolder
from animeid.runs.leaks import seen_by
from animeid.runs.lineage import with_ancestors
from animeid.runs.saved import SavedRun
from animeid.system.console import counted, some_of
from animeid.terms import UNKNOWN_TARGET

STRANGER = "the run does not know this class"
UNLABELLED = "it has no label, or is in the part unknown"
TRAINED = "the run, or one that its weights come from, was trained on it or on a near copy of it"
PUT_ASIDE = "in no part: an exact copy has another label, or the manifest says so"

NAMED = 5
"""How many pictures or classes a sentence names at most."""


@dataclass(frozen=True)
class Pictures:
    """What is judged: a manifest whose targets are the run's, and the rows of it."""

    manifest: Manifest
    rows: np.ndarray
    notes: tuple[str, ...]
    left_out: pd.DataFrame


def own_pictures(folder: RunFolder, split: str) -> Pictures:
    """A part of the run's own manifest.

    Raises:
        InputError: the run has no such part, or pictures of it are missing.
    """
    saved = SavedRun(folder)
    if saved.is_refit and split == "val":
        raise InputError(
            f"{folder.path} was trained on the pictures of val as well, so that it cannot be judged on them: judge its "
            f"twin, which was not, with run={folder.twin.path} split=val"
        )
    manifest = saved.manifest
    rows = np.flatnonzero((manifest.table["split"] == split).to_numpy())
    if not len(rows):
        there = sorted(set(manifest.table["split"]) & {"train", "val", "test"})
        raise InputError(f"the run {folder.path} has no pictures in split={split}: choose one of {', '.join(there)}")
    table = manifest.table.iloc[rows]
    refuse_missing(folder, manifest.root, table["path"])
    return Pictures(manifest, rows, tuple(changed(manifest.root, table)), pd.DataFrame({"path": [], "reason": []}))


def with_targets(table: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """The table with targets by class name; a name that the run does not know gets -1, and so does what is unknown."""
    targets = table["label"].map(targets_by_label(labels)).fillna(UNKNOWN_TARGET).astype(np.int64)
    return table.assign(target=targets.mask(table["split"] == "unknown", UNKNOWN_TARGET))


def new_pictures(folder: RunFolder, settings: DataSettings, labels: tuple[str, ...]) -> Pictures:
    """Labelled pictures that neither the run nor one that its weights come from has seen.

    Those that they were trained on, or whose class the run does not know, or that have none, or that are in no part
    (exact copies with different labels), are left out, counted and listed (`leaks=fail` refuses the first instead,
    `leaks=report` keeps them). The others are judged together, whatever part the manifest has them in.

    Raises:
        InputError: no picture of a known class is left, or training pictures are among them and `leaks` is `fail`.
    """
    read = read_labelled(settings)
    table = with_targets(read.manifest.table, labels)
    unknown = (table["target"] == UNKNOWN_TARGET).to_numpy()
    nameless = ((table["label"] == "") | (table["split"] == "unknown")).to_numpy()
    aside = (table["split"] == "excluded").to_numpy()
    looked = seen_by(with_ancestors(folder), read.manifest, ~(unknown | aside), settings.max_pixels, settings.cache)
    seen = looked.rows & ~(unknown | aside)
    if seen.any() and settings.leaks == "fail":
        raise InputError(
            f"of {settings.root}, {counted(int(seen.sum()), 'picture', 'were')} in the training of {looked.named()}: "
            "remove them, or take data.leaks=drop to leave them out"
        )
    dropped = unknown | aside | (seen & (settings.leaks != "report"))
    reasons = np.select([aside, nameless, unknown], [PUT_ASIDE, UNLABELLED, STRANGER], default=TRAINED)
    left_out = pd.DataFrame({"path": table["path"][dropped], "reason": reasons[dropped]})
    notes = [*read.notes, *looked.notes]
    if (strangers := unknown & ~nameless).any():
        names = sorted(set(table["label"][strangers]))
        notes.append(
            f"{counted(int(strangers.sum()), 'picture')} of classes that the run does not know: {some_of(names, NAMED)}"
        )
        notes += spelling_notes({*names, *labels}, told=set(table["label"]) - {""})
    if nameless.any():
        notes.append(f"not judged, for no label says what they are: {counted(int(nameless.sum()), 'picture')}")
    if seen.any():
        kept = "kept, since data.leaks=report" if settings.leaks == "report" else "left out"
        notes.append(f"{counted(int(seen.sum()), 'picture', 'were')} in the training of {looked.named()} and {kept}")
    if aside.any():
        notes.append(f"not judged, for it is in no part: {counted(int(aside.sum()), 'picture')}")
    rows = np.flatnonzero(~dropped)
    if not len(rows):
        raise InputError(
            f"no picture of {settings.root} can be judged by {folder.path}: {'; '.join(notes)}; give others"
        )
    if len(parts := set(table["split"].iloc[rows]) - {""}) > 1:
        notes.append(f"pictures of the parts {', '.join(sorted(parts))} are judged together")
    manifest = Manifest(table, read.manifest.root, read.manifest.attributes)
    return Pictures(manifest, rows, tuple(notes), pd.concat([read.skipped, left_out], ignore_index=True))


def choose_pictures(
    run: RunFolder, request: Mapping[str, Any], data: DataSettings, labels: tuple[str, ...]
) -> Pictures:
    """The run's own part, or new pictures where a root is given."""
    given = request["data"]
    if not given["root"]:
        return own_pictures(run, request["split"])
    settings = DataSettings(
        root=given["root"],
        parts=given["parts"],
        leaks=given["leaks"],
        incomplete=given.get("incomplete") or data.incomplete,
        max_pixels=data.max_pixels,
        copy_pattern=data.copy_pattern,
    )
    return new_pictures(run, settings, labels)
