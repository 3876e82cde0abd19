"""The pictures by which engines are compared, and those that show a quantiser how large activations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.inference.predictor import Predictor
from animeid.runs.finished import FinishedRun
from animeid.runs.saved import SavedRun

WANTED = 300
"""Training pictures join the validation part up to so many."""
MOST = 1000
"""More are not answered: a figure of f1_macro moves little beyond, and each picture is answered by every engine."""
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


def parity_pictures(predictors: Sequence[Predictor]) -> tuple[ParityPictures, tuple[Path, ...]]:
    """Those that engines answer, and training pictures to calibrate by, which are others where there are enough.

    The validation part comes first, evenly over the classes, then training pictures. The test part is left alone, since
    engines are chosen by what they answer here. Files that are gone are left out.
    """
    first = SavedRun(predictors[0].folder)
    root = first.manifest.root
    table = first.manifest.table
    table = table[[(root / path).is_file() for path in table["path"]]]
    held_out = set.intersection(*(_held_out(predictor) for predictor in predictors))
    is_held_out = np.array([root / path in held_out for path in table["path"]], bool)
    val = spread(table[is_held_out], MOST)
    train = spread(table[~is_held_out & table["split"].isin(["train", "val"]).to_numpy()], len(table))
    more = train.iloc[: max(0, WANTED - len(val))]
    rest = train.iloc[len(more) :]
    chosen = pd.concat([val, more])
    pictures = ParityPictures(
        tuple(root / path for path in chosen["path"]),
        chosen["target"].to_numpy(np.int64),
        chosen["group"].to_numpy(str),
        np.arange(len(chosen)) < len(val),
    )
    # Too few are left where there are few pictures at all; an overlap then tells too much, and a gate on none nothing.
    calibrating = spread(rest if len(rest) >= CALIBRATING else train, CALIBRATING)
    return pictures, tuple(root / path for path in calibrating["path"])


def spread(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first `count` rows when classes take turns, each with its rows in their order."""
    turns = table.groupby("target").cumcount()
    return table.iloc[np.lexsort((table["target"], turns))].iloc[:count]


def _held_out(predictor: Predictor) -> set[Path]:
    """The validation pictures of a run, unless it has learnt them too."""
    run = FinishedRun(predictor.folder)
    if run.is_refit:
        return set()
    table = run.manifest.table
    known = (table["split"] == "val") & (table["target"] >= 0)
    return {run.manifest.root / path for path in table.loc[known, "path"]}
