"""One finished run: its answers and the pictures that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from animeid.plots.contact_sheet import Tile
from animeid.plots.picture import BLUE, ORANGE
from animeid.predictions import Predictions, softmax
from animeid.runs.finished import FinishedRun
from animeid.tracking.results import confused_pairs

PAIRS_SHOWN = 5
NAMED_BY = ("acc_micro", "acc_macro", "f1_macro", "f1_weighted", "top5", "ece", "nll")


@dataclass(frozen=True)
class NotebookRun(FinishedRun):
    """A finished run with tables and tiles of its answers for one part: test, or val where there is no test part."""

    @property
    def name(self) -> str:
        return self.folder.path.name

    @cached_property
    def answers(self) -> Predictions:
        """Of the part's pictures that belong to a class, in the order of `table`."""
        return self.predictions_at(self.positions)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a picture: `path`, `label`, `predicted`, `is_right`, `probability` of the answer and `of_truth`.

        Recomputed from the saved logits.
        """
        rows = self.manifest.table.iloc[self.answers.rows]
        chances = softmax(self.answers.logits)
        names = np.array(self.labels, dtype=object)
        target, answer = rows["target"].to_numpy(), self.answers.logits.argmax(axis=1)
        return pd.DataFrame(
            {
                "path": rows["path"].to_numpy(),
                "sha256": rows["sha256"].to_numpy(),
                "label": rows["label"].to_numpy(),
                "predicted": names[answer],
                "is_right": answer == target,
                "probability": chances[np.arange(len(rows)), answer],
                "of_truth": chances[np.arange(len(rows)), target],
            }
        )

    def paths(self) -> list[Path]:
        """The files of `table`."""
        return [self.manifest.root / path for path in self.table["path"]]

    def figures(self) -> pd.DataFrame:
        """The part's figures with the ends of their 95 % intervals, NaN where there is none."""
        rows = {}
        for name in NAMED_BY:
            if (value := self.judged.get(name)) is not None:
                low, high = interval(self.judged.get(f"{name}_ci"))
                rows[name] = {"figure": value, "low": low, "high": high}
        return pd.DataFrame.from_dict(rows, orient="index")

    def worst(self, count: int) -> list[Tile]:
        """The pictures whose true class got the least probability, the worst first."""
        return self.tiles(self.table.nsmallest(count, "of_truth"))

    def confusions(self) -> pd.DataFrame:
        """Pairs of classes that were taken for one another, most frequent first: `true`, `predicted`, `pictures`."""
        pairs = confused_pairs(self, self.part)
        wrong = pairs[pairs["true"] != pairs["predicted"]]
        return wrong.sort_values("pictures", ascending=False, kind="stable").reset_index(drop=True)

    def confused(self, columns: int, pairs: int = PAIRS_SHOWN) -> list[Tile]:
        """Pictures of the most confused pairs, at most `columns` of each, the least probable truth first."""
        table = self.table
        tiles = []
        for pair in self.confusions().head(pairs).itertuples():
            chosen = table[(table["label"] == pair.true) & (table["predicted"] == pair.predicted)]
            tiles += self.tiles(chosen.nsmallest(columns, "of_truth"))
        return tiles

    def tiles(self, rows: pd.DataFrame) -> list[Tile]:
        """Rows of `table` for a contact sheet: what it is, and what the model said."""
        return [tile(self.manifest.root, row) for row in rows.to_dict("records")]


def tile(root: Path, row: dict[Any, Any]) -> Tile:
    said = f"→ {row['predicted']} ({100 * row['probability']:.0f} %)"
    return Tile(root / row["path"], (row["label"], said), BLUE if row["is_right"] else ORANGE)


def interval(ends: Any) -> Sequence[float]:
    """The two ends, NaN where there is no interval."""
    return ends if isinstance(ends, list) else (np.nan, np.nan)


def read_finished(path: str | Path) -> NotebookRun:
    """Reads a run that came to its end.

    Raises:
        InputError: there is no such run, it is not finished, or it has neither a test nor a val part.
    """
    return NotebookRun.open(path)
