"""The pictures by which engines are compared, and those that show a quantiser how large activations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.data.shards.read import is_there
from animeid.inference.predictor import Predictor
from animeid.runs.saved import SavedRun

WANTED = 300
"""Training pictures join the validation part up to so many."""
MOST = 1000
"""That choose an engine: a figure of f1_macro moves little beyond, and every engine answers each of them."""
MOST_BYTES = 2**29
"""Of pictures that are kept while engines are compared."""
CALIBRATING = 128
EACH = 2
"""Pictures of a class at least, where there are so many, since one alone has no neighbour of its class."""


@dataclass(frozen=True)
class ParityPictures:
    """Pictures whose classes are known.

    paths: files. targets: `[K]` int64. groups: `[K]` text. held_out: `[K]` bool, those that no run has learnt.
    """

    paths: tuple[Path, ...]
    targets: np.ndarray
    groups: np.ndarray
    held_out: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def have_mates(self) -> np.ndarray:
        """`[K]` bool, those of whose class another group has a picture."""
        groups = pd.Series(self.groups).groupby(self.targets).transform("nunique")
        return groups.to_numpy() > 1

    def at(self, places: Sequence[int]) -> ParityPictures:
        chosen = list(places)
        paths = tuple(self.paths[place] for place in chosen)
        return ParityPictures(paths, self.targets[chosen], self.groups[chosen], self.held_out[chosen])


def parity_pictures(predictors: Sequence[Predictor], *, choose: bool) -> tuple[ParityPictures, ParityPictures]:
    """Those that engines answer, and training pictures to calibrate by, which are others where there are enough.

    The validation part comes first, evenly over the classes, then training pictures; where an engine is chosen some
    classes get one of these that need it (see `mates_of`). The test part is left alone, since engines are chosen by
    what they answer here. Files that are gone are left out.

    Args:
        choose: whether an engine is chosen by them, which takes more pictures than to see that one is right.
    """
    manifest = SavedRun(predictors[0].folder).manifest
    height, width = predictors[0].image_size
    most = max(WANTED, min(MOST, MOST_BYTES // (height * width * 3))) if choose else WANTED
    table = manifest.table[manifest.table["target"] >= 0]
    table = of_some_classes(table[table["split"].isin(["train", "val"])], most // EACH)
    is_held_out = np.logical_and.reduce([_held_out(predictor, table["path"]) for predictor in predictors])
    val = _there(manifest.root, spread(table[is_held_out]), most)
    enough = WANTED + CALIBRATING + (most // EACH if choose else 0)
    train = _there(manifest.root, spread(table[~is_held_out]), enough)
    more, rest = np.split(train, [max(0, WANTED - len(val))])
    if choose:
        mates = mates_of(table.loc[[*val, *more]], table.loc[rest])
        room, rest = most - len(mates), rest[~np.isin(rest, mates)]
        val, more = val[:room], np.append(more[: max(0, room - len(val))], mates)
    # Too few are left where there are few pictures at all; an overlap then tells too much, and a gate on none nothing.
    shown = rest if len(rest) >= CALIBRATING else train
    return _of(manifest.root, table, val, more), _of(manifest.root, table, shown[:0], shown[:CALIBRATING])


def of_some_classes(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The rows of at most `count` classes, which lie evenly among all."""
    classes = np.unique(table["target"])
    if len(classes) <= count:
        return table
    return table[table["target"].isin(classes[np.linspace(0, len(classes) - 1, count).astype(int)])]


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order in which classes take turns, each with its rows in their order."""
    turns = table.groupby("target").cumcount()
    return table.iloc[np.lexsort((table["target"], turns))]


def mates_of(shown: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """The label of one of the others for each class of which a single group is shown: the first of another group.

    Without it no picture of such a class could have a right neighbour: where a class was drawn by few hands, as groups
    often are, validation has a single one of them.
    """
    groups = shown.groupby("target")["group"].agg(["nunique", "first"])
    alone = groups.loc[groups["nunique"] == 1, "first"]
    wanted = others[others["group"] != others["target"].map(alone).fillna(others["group"])]
    return wanted.drop_duplicates("target").index.to_numpy(np.int64)


def _there(root: Path, table: pd.DataFrame, count: int) -> np.ndarray:
    """The labels of the first `count` rows whose files are there."""
    found = (row for row, path in zip(table.index, table["path"], strict=True) if is_there(root / path))
    return np.array(list(islice(found, count)), np.int64)


def _of(root: Path, table: pd.DataFrame, held_out: np.ndarray, learnt: np.ndarray) -> ParityPictures:
    rows = table.loc[[*held_out, *learnt]]
    return ParityPictures(
        tuple(root / path for path in rows["path"]),
        rows["target"].to_numpy(np.int64),
        rows["group"].to_numpy(str),
        np.arange(len(rows)) < len(held_out),
    )


def _held_out(predictor: Predictor, paths: pd.Series) -> np.ndarray:
    """Which of the pictures are in a run's validation part, unless it has learnt them too."""
    run = SavedRun(predictor.folder)
    table = run.manifest.table
    return paths.isin(table.loc[table["split"] == "val", "path"]).to_numpy() & (not run.is_refit)
