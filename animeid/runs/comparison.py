"""The one rule whether runs may be compared or joined: the same pictures, and the same classes in the same order.

Which pictures is for who asks. Reports and ensembles take those that the runs are judged on, and add that none of them
was in the training of another; multiruns take those of val and test, as recorded; a soup takes those of all splits; and
folds take the rows of the manifest whatever their split, and add that no two held out the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.runs.finished import FinishedRun
from animeid.system.environment import data_fingerprint

SAME_MANIFEST = ["path", "label", "sha256", "target", "group"]
"""Columns in which manifests agree whose rows mean the same pictures."""


class Basis(NamedTuple):
    """What a run's figures rest on; equal for the same pictures and the same classes in the same order.

    pictures: a fingerprint of them, None where an earlier version recorded none.
    """

    pictures: str | None
    labels: tuple[str, ...]


def basis(run: FinishedRun, splits: Sequence[str]) -> Basis:
    """That of the splits, by the run's manifest."""
    return Basis(pictures_of(run, splits), run.labels)


def recorded_basis(run: FinishedRun) -> Basis:
    """That of val and test, as the run recorded it when it began.

    It needs no manifest to be read, of which a multirun may have hundreds.
    """
    return Basis(run.environment.get("judged_fingerprint"), run.labels)


def _basis_of_rows(run: FinishedRun) -> Basis:
    """That of all rows of the manifest in their order, whatever their split, which folds differ in."""
    hashes = pd.util.hash_pandas_object(run.manifest.table[SAME_MANIFEST], index=False)
    return Basis(sha256(hashes.to_numpy().tobytes()).hexdigest(), run.labels)


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Raises:
    InputError: two of the runs may not be compared, by the rule above.
    """
    runs = [run.answerer for run in runs]
    first = runs[0]
    splits = (first.part,)
    common = basis(first, splits)
    for other in runs[1:]:
        its = basis(other, splits)
        if other.part != first.part or its.pictures != common.pictures:
            raise InputError(
                f"{other.folder.path} was judged on other {first.part} pictures than {first.folder.path}, so that "
                "their figures cannot be compared: give runs of the same data, split_seed and fold"
            )
        if its.labels != common.labels:
            raise InputError(
                f"{other.folder.path} has other classes than {first.folder.path}, so that their figures cannot be "
                "compared and their answers cannot be joined: give runs of one data set"
            )
    for run in runs:
        # With `data.leaks=report` a run was allowed to learn pictures that it is judged on, and said so.
        if run.plan["data"].get("leaks") != "report" and (count := trained_on(run, first)):
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


def check_joinable(runs: Sequence[FinishedRun]) -> Manifest:
    """The common manifest of folds, each of which answers its own validation pictures.

    Raises:
        InputError: the manifests are of other pictures or classes, or two runs held out the same picture.
    """
    first = runs[0]
    common = _basis_of_rows(first)
    for run in runs[1:]:
        if _basis_of_rows(run) != common:
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
