"""The reader of a finished run's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from animeid.data.manifest import targets_by_label
from animeid.errors import InputError
from animeid.metrics.functional import confusion_counts
from animeid.metrics.worst import worst_first
from animeid.predictions import Predictions
from animeid.runs.best_epoch import BestEpoch
from animeid.runs.folder import RunFolder
from animeid.runs.identity import leaves
from animeid.runs.saved import SavedRun
from animeid.system.files import read_object, undamaged
from animeid.system.rows import stored_rows
from animeid.terms import EVALUATED_SPLITS, UNKNOWN_TARGET

CLASS_COLUMNS = ("label", "support", "precision", "recall", "f1")

Figure = float | list[float]
"""A number, or the two ends of an interval."""


@dataclass(frozen=True)
class FinishedRun(SavedRun):
    """A run that has come to its end: what it began with, and what it left.

    Folders of answers that no training left (an evaluation, an ensemble, out-of-fold answers) are read by it as well;
    they lack what only training writes.

    Raises:
        InputError: by what needs a file of the run's end, where the run has not come to it.
    """

    @classmethod
    def of(cls, folder: RunFolder) -> Self:
        """Raises:
        InputError: the run has not finished, or judged nothing.
        """
        run = cls(folder)
        if not run.parts:
            raise InputError(
                f"the run {folder.path} has neither a test nor a val part, so that it has no figures: judge it with "
                f"animeid.evaluate run={folder.path} data.root=PICTURES"
            )
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Raises:
        InputError: there is no such run, it has not finished, or judged nothing.
        """
        return cls.of(RunFolder.open(path))

    @cached_property
    def metrics(self) -> dict[str, Any]:
        return read_object(self._written(self.folder.metrics))

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that there are figures of, in the order of evaluation."""
        return tuple(part for part in EVALUATED_SPLITS if self.metrics.get(part))

    @property
    def part(self) -> str:
        """The part that the run is judged by: `test`, or `val` where there is no test part."""
        return self.parts[-1]

    @property
    def judged(self) -> Mapping[str, Any]:
        """The figures of `part`."""
        return self.metrics[self.part]

    def figure(self, part: str, name: str) -> float | None:
        """A figure of `metrics.json`; None where there is no such part, or the part has no such figure."""
        return (self.metrics.get(part) or {}).get(name)

    @property
    def refit(self) -> Mapping[str, Any] | None:
        """Whose the figures of val are, and how many pictures the model has learnt from; None without a refit."""
        return self.metrics.get("refit")

    @cached_property
    def twin(self) -> Self | None:
        """The twin of a refit, as long as its folder is there."""
        return type(self)(self.folder.twin) if self.refit and self.folder.twin.is_finished else None

    @property
    def answerer(self) -> Self:
        """The run that has answered `part` and held it out: of a refit without a test part its twin."""
        return self.twin if self.twin is not None and self.part == "val" else self

    @property
    def named_figures(self) -> dict[str, Figure]:
        """All figures with one name each, `test/f1_macro`; of calibration `temperature` and `test/ece_scaled`."""
        found = self.calibration
        if found is None:
            return flatten(self.metrics)
        scaled = {part: {"ece_scaled": figures["ece_scaled"]} for part, figures in found["parts"].items()}
        return flatten(self.metrics) | flatten({"temperature": found["temperature"], **scaled})

    def class_figures(self, part: str) -> pd.DataFrame:
        """A row a class, with `CLASS_COLUMNS`."""
        return pd.DataFrame(self.metrics[part]["per_class"], columns=list(CLASS_COLUMNS))

    @property
    def training_s(self) -> float | None:
        """Seconds of training, those of an earlier stage or of a twin too; None of a run that has not finished."""
        if not self.folder.is_finished:
            return None
        cost = self.metrics["cost"]
        return float(cost["train_s"] + cost.get("earlier_s", 0.0) + cost.get("twin_s", 0.0))

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """A row an epoch, `epochs_done` counted from 1 also of earlier versions; None where nothing was trained."""
        if not self.folder.was_trained:
            return None
        with undamaged(self.folder.history):
            table = pd.read_csv(self.folder.history)
            return table.assign(epochs_done=table["epoch"] + 1)

    @cached_property
    def best_epoch(self) -> BestEpoch | None:
        """Whose weights the run keeps; None where nothing was trained, or an earlier version did."""
        return BestEpoch.read(self.folder)

    @cached_property
    def cams(self) -> dict[int, np.ndarray]:
        """The heat maps of the worst answers, `[H, W]` uint8 each, by manifest row; a network may have none."""
        if not self.folder.cams.is_file():
            return {}
        with undamaged(self.folder.cams), np.load(self.folder.cams) as stored:
            return dict(zip(stored["row"].tolist(), stored["cam"], strict=True))

    @property
    def charts(self) -> dict[str, Path]:
        """The charts in the folder by name; their number grows as pages are written."""
        return {path.stem: path for path in sorted(self.folder.figures.glob("*.png"))}

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """`predictions.parquet` with the numbers of the classes that were named, `answer`."""
        path = self._written(self.folder.predictions)
        with undamaged(path):
            table = pd.read_parquet(path)
            answers = table["predicted"].map(targets_by_label(self.labels))
        if answers.isna().any():
            raise InputError(
                f"{path} names classes that {self.folder.labels} lacks: put back a copy of the one that was changed"
            )
        return table.assign(answer=answers.astype(np.int64))

    @cached_property
    def logits(self) -> np.ndarray:
        """`[N, C]` float32, a row a row of `predictions`; read as far as it is asked for."""
        return stored_rows(self._written(self.folder.logits))

    @cached_property
    def embeddings(self) -> np.ndarray:
        """`[N, D]` float32, as `logits`."""
        return stored_rows(self._written(self.folder.embeddings))

    @property
    def targets(self) -> np.ndarray:
        """`[N]` int64, a target a row of `predictions`."""
        return self.predictions["target"].to_numpy()

    @property
    def judged_targets(self) -> np.ndarray:
        """`[N]` int64, a target a row of `predictions`; -1 outside of `part`."""
        return np.where((self.predictions["split"] == self.part).to_numpy(), self.targets, UNKNOWN_TARGET)

    def positions_in(self, split: str) -> np.ndarray:
        """`[K]` int64: the rows of `predictions` of the split's pictures that belong to a class."""
        in_split = (self.predictions["split"] == split).to_numpy()
        return np.flatnonzero(in_split & (self.targets != UNKNOWN_TARGET))

    @cached_property
    def positions(self) -> np.ndarray:
        """`[K]` int64: those of `part`."""
        return self.positions_in(self.part)

    def predictions_at(self, positions: np.ndarray) -> Predictions:
        """What the run said to these rows of `predictions`: every figure can be recomputed from it.

        Of rows that follow one another, as those of a part do, logits and embeddings stay in their files until they are
        looked at.
        """
        table = self.predictions.iloc[positions]
        losses, places = table["loss"].to_numpy(dtype=np.float32), _as_slice(positions)
        return Predictions(table["row"].to_numpy(), self.logits[places], self.embeddings[places], losses)

    def predictions_of(self, split: str) -> Predictions:
        """What the run said to all pictures of a split, those of no class among them."""
        return self.predictions_at(np.flatnonzero((self.predictions["split"] == split).to_numpy()))

    def confusion(self, split: str) -> csr_array:
        """`[C, C]` int64 pictures of a split by class (rows) and answer (columns), sparse."""
        positions = self.positions_in(split)
        answers = self.predictions["answer"].to_numpy()
        return confusion_counts(self.targets[positions], answers[positions], len(self.labels))

    @cached_property
    def worst_positions(self) -> np.ndarray:
        """`[K]` int64: the rows of `predictions` of `part` whose class got the least probability, the least first."""
        return worst_first(self.logits, self.judged_targets)

    def _written(self, path: Path) -> Path:
        """A file that a run writes when it ends.

        Raises:
            InputError: it is not there.
        """
        if not path.is_file():
            raise InputError(
                f"the run {self.folder.path} is not finished, for it has no {path.name}: let it go on with its command "
                "and resume=auto, or give another run"
            )
        return path


def _as_slice(positions: np.ndarray) -> np.ndarray | slice:
    """The same places as a slice, where each is the one after that before it."""
    return slice(positions[0], positions[-1] + 1) if len(positions) and (np.diff(positions) == 1).all() else positions


def flatten(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """The numbers and intervals of `metrics.json` by the names that lead to them, joined by `/`."""
    figures = {}
    for name, value in leaves(metrics, separator="/"):
        match value:
            case int() | float() | [float(), float()]:
                figures[name] = value
            case _:  # a table, or null
                pass
    return figures
