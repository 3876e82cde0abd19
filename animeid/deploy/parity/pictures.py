"""The pictures by which engines are compared, and those that show a quantiser how large activations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.inference.predictor import Predictor
from animeid.runs.saved import SavedRun

WANTED = 300
"""Training pictures join the validation part up to so many."""
MOST = 1000
"""That choose an engine: a figure of f1_macro moves little beyond, and every engine answers each of them."""
MOST_BYTES = 2**29
"""Of pictures that are kept while engines are compared."""
CALIBRATING = 128


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

    def at(self, places: Sequence[int]) -> ParityPictures:
        return ParityPictures(
            tuple(self.paths[place] for place in places),
            self.targets[places],
            self.groups[places],
            self.held_out[places],
        )


def parity_pictures(predictors: Sequence[Predictor], *, choose: bool) -> tuple[ParityPictures, tuple[Path, ...]]:
    """Those that engines answer, and training pictures to calibrate by, which are others where there are enough.

    The validation part comes first, evenly over the classes, then training pictures. The test part is left alone, since
    engines are chosen by what they answer here. Files that are gone are left out.

    Args:
        choose: whether an engine is chosen by them, which takes more pictures than to see that one is right.
    """
    manifest = SavedRun(predictors[0].folder).manifest
    table = manifest.table[manifest.table["target"] >= 0]
    is_held_out = np.logical_and.reduce([_held_out(predictor, table["path"]) for predictor in predictors])
    height, width = predictors[0].image_size
    most = max(WANTED, min(MOST, MOST_BYTES // (height * width * 3))) if choose else WANTED
    val = spread(table[is_held_out], most)
    train = spread(table[~is_held_out & table["split"].isin(["train", "val"]).to_numpy()], WANTED + CALIBRATING)
    more = train.iloc[: max(0, WANTED - len(val))]
    rest = train.iloc[len(more) :].iloc[:CALIBRATING]
    # Too few are left where there are few pictures at all; an overlap then tells too much, and a gate on none nothing.
    calibrating = rest if len(rest) == CALIBRATING else train.iloc[:CALIBRATING]
    chosen = pd.concat([val, more])
    there = np.array([(manifest.root / path).is_file() for path in chosen["path"]], bool)
    pictures = ParityPictures(
        tuple(manifest.root / path for path in chosen["path"][there]),
        chosen["target"].to_numpy(np.int64)[there],
        chosen["group"].to_numpy(str)[there],
        (np.arange(len(chosen)) < len(val))[there],
    )
    files = (manifest.root / path for path in calibrating["path"])
    return pictures, tuple(file for file in files if file.is_file())


def spread(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first `count` rows when classes take turns, each with its rows in their order."""
    turns = table.groupby("target").cumcount()
    return table.iloc[np.lexsort((table["target"], turns))].iloc[:count]


def _held_out(predictor: Predictor, paths: pd.Series) -> np.ndarray:
    """Which of the pictures are in a run's validation part, unless it has learnt them too."""
    run = SavedRun(predictor.folder)
    table = run.manifest.table
    return paths.isin(table.loc[table["split"] == "val", "path"]).to_numpy() & (not run.is_refit)
