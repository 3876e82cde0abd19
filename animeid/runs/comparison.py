"""The one rule whether runs may be compared or joined, and the runs that a pattern finds.

The rule: the same pictures to be judged on, the same classes in the same order, and no training picture of one among
those that another is judged on.
"""

from __future__ import annotations

import glob
from collections.abc import Hashable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.system.environment import data_fingerprint

SAME_MANIFEST = ["path", "label", "sha256", "target", "group"]
"""Columns in which manifests agree whose rows mean the same pictures."""


def matching(pattern: str) -> list[RunFolder]:
    """The finished runs that a pattern, or several with colons between them, means; each once, in the patterns' order.

    Folders of answers that no training left are left out, which is said.
    """
    given = [piece for piece in pattern.split(":") if piece]
    paths = [Path(path) for piece in given for path in sorted(glob.glob(piece))]  # noqa: PTH207
    finished = [folder for folder in map(RunFolder, paths) if folder.is_finished]
    if others := [str(folder.path) for folder in finished if not folder.config.is_file()]:
        say(f"left out, as no training run made them: {', '.join(others)}")
    return each_once([folder for folder in finished if folder.config.is_file()])


def each_once(folders: Sequence[RunFolder]) -> list[RunFolder]:
    """Without those that an earlier one names by another path."""
    found: dict[Path, RunFolder] = {}
    for folder in folders:
        found.setdefault(folder.path.resolve(), folder)
    return list(found.values())


def find_runs(pattern: str) -> list[FinishedRun]:
    """The runs of a pattern, to be compared.

    Raises:
        InputError: there are fewer than two, or they may not be compared.
    """
    folders = matching(pattern)
    if len(folders) < 2:
        raise InputError(f"runs={pattern} finds {len(folders)} finished runs: give a quoted pattern that finds several")
    runs = [FinishedRun.open(folder.path) for folder in folders]
    check_comparable(runs)
    return runs


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Raises:
    InputError: two of the runs may not be compared, by the rule above.
    """
    first = runs[0]
    splits = (first.part,)
    pictures = pictures_of(first, splits)
    for other in runs[1:]:
        if other.part != first.part or pictures_of(other, splits) != pictures:
            raise InputError(
                f"{other.folder.path} was judged on other {first.part} pictures than {first.folder.path}, so that "
                "their figures cannot be compared: give runs of the same data, split_seed and fold"
            )
        if other.labels != first.labels:
            raise InputError(
                f"{other.folder.path} has other classes than {first.folder.path}, so that their figures cannot be "
                "compared and their answers cannot be joined: give runs of one data set"
            )
    for run in runs:
        if count := trained_on(run, first):
            raise InputError(
                f"{count} of the {first.part} pictures that {first.folder.path} is judged on were in the training of "
                f"{run.folder.path}, so that their figures cannot be compared: give runs of the same data, split_seed "
                "and fold"
            )


def pictures_of(run: FinishedRun, splits: Sequence[str]) -> str:
    """A fingerprint of content, label and split of each picture of the splits."""
    table = run.manifest.table
    return data_fingerprint(table[table["split"].isin(splits)])


def trained_on(run: FinishedRun, other: FinishedRun) -> int:
    """How many pictures that `other` is judged on have the content of a training picture of `run`."""
    trained, judged = _contents(run, "train"), _contents(other, other.part)
    return int((judged.isin(trained) & (judged != "")).sum())


def _contents(run: FinishedRun, split: str) -> pd.Series:
    table = run.manifest.table
    return table["sha256"][table["split"] == split]


def recorded_basis(run: FinishedRun) -> Hashable:
    """Equal for runs whose figures of val and test can be compared, as they recorded it when they began.

    It needs no manifest to be read, of which a multirun may have hundreds.
    """
    return run.environment.get("judged_fingerprint"), run.labels


def check_joinable(runs: Sequence[FinishedRun]) -> Manifest:
    """The common manifest of folds, each of which answers its own validation pictures.

    Raises:
        InputError: the manifests are of other pictures or classes, or two runs held out the same picture.
    """
    first = runs[0]
    for run in runs[1:]:
        same = run.manifest.table[SAME_MANIFEST].equals(first.manifest.table[SAME_MANIFEST])
        if not same or run.labels != first.labels:
            raise InputError(
                f"the pictures changed between {first.folder.path} and {run.folder.path}, so that their folds do not "
                "fit together: train all folds again under another run_id"
            )
    for one, other in combinations(runs, 2):
        both = (one.manifest.table["split"] == "val") & (other.manifest.table["split"] == "val")
        if both.any():
            raise InputError(
                f"{both.sum()} pictures were held out both by {one.folder.path} and by {other.folder.path}, so that "
                "their folds do not fit together: train all folds again under another run_id"
            )
    return first.manifest


def common_order(run: FinishedRun) -> np.ndarray:
    """`[K]` int64: the rows of `predictions` of the judged pictures, in an order that comparable runs share."""
    rows = run.predictions.iloc[run.positions]
    sha256 = run.manifest.table["sha256"].to_numpy()[rows["row"].to_numpy()]
    return run.positions[np.lexsort((rows["path"].to_numpy(str), sha256.astype(str)))]
