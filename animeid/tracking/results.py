"""What a finished run found, read back from the files that it saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from animeid.config.freeze import read_yaml
from animeid.data.images import UnreadableImage, decode
from animeid.data.manifest import read_manifest
from animeid.folder import RunFolder
from animeid.identity import leaves
from animeid.metrics.worst import worst_first
from animeid.say import say

JUDGED = ("val", "test")
CLASS_COLUMNS = ("label", "support", "precision", "recall", "f1")
WORST_SIDE = 256

Figure = float | list[float]
"""A number, or the two ends of an interval."""


@dataclass(frozen=True)
class Answer:
    """A picture, what it shows, and what the model said; `probability` is that of its answer."""

    path: str
    true: str
    predicted: str
    probability: float
    image: Image.Image


@dataclass(frozen=True)
class Results:
    """The saved results of a run.

    plan: the run's `config.yaml`.
    figures: `metrics.json` with one name a figure, `test/f1_macro`; those that do not exist are left out.
    classes: for each judged part a row a class, with `CLASS_COLUMNS`.
    confusion: for each judged part a row for each pair that occurs: `true`, `predicted`, `pictures`.
    worst_part, worst: the pictures of test (without it, of val) to whose class the model gave the least probability,
        the worst first.
    rates: `epoch` and `lr` of `history.csv`.
    pictures: the run's figures by name.
    """

    plan: Mapping[str, Any]
    figures: Mapping[str, Figure]
    classes: Mapping[str, pd.DataFrame]
    confusion: Mapping[str, pd.DataFrame]
    worst_part: str
    worst: list[Answer]
    rates: pd.DataFrame
    pictures: Mapping[str, Path]

    @property
    def numbers(self) -> dict[str, float]:
        """The figures without their intervals."""
        return {name: value for name, value in self.figures.items() if not isinstance(value, list)}


def read_results(folder: RunFolder) -> Results:
    """Reads what a finished run saved."""
    plan = read_yaml(folder.config)
    metrics = json.loads(folder.metrics.read_text(encoding="utf-8"))
    parts = [part for part in JUDGED if metrics.get(part)]
    worst_part = parts[-1] if parts else ""
    return Results(
        plan=plan,
        figures=flatten(metrics),
        classes={part: pd.DataFrame(metrics[part]["per_class"], columns=list(CLASS_COLUMNS)) for part in parts},
        confusion={part: confusion(folder, part) for part in parts},
        worst_part=worst_part,
        worst=worst(folder, worst_part, plan["data"]["max_pixels"]) if worst_part else [],
        rates=pd.read_csv(folder.history)[["epoch", "lr"]],
        pictures={path.stem: path for path in sorted(folder.figures.glob("*.png"))},
    )


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


def confusion(folder: RunFolder, part: str) -> pd.DataFrame:
    """How often each class was given each answer, from the saved predictions; pairs that never occur are left out."""
    table = pd.read_parquet(folder.predictions, columns=["split", "target", "predicted"])
    table = table[(table["split"] == part) & (table["target"] >= 0)]
    table["true"] = np.array(folder.read_labels(), dtype=object)[table["target"]]
    return table.groupby(["true", "predicted"]).size().reset_index(name="pictures")


def worst(folder: RunFolder, part: str, max_pixels: int) -> list[Answer]:
    """The answers of a part that gave the true class the least probability, from the saved logits."""
    table = pd.read_parquet(folder.predictions)
    chosen = np.flatnonzero((table["split"] == part).to_numpy())
    logits = np.load(folder.logits, mmap_mode="r")[chosen]
    rows = table.iloc[chosen[worst_first(logits, table["target"].to_numpy()[chosen])]]
    root = read_manifest(folder.manifest).root
    return [answer for row in rows.to_dict("records") if (answer := _answer(row, root, max_pixels))]


def _answer(row: Mapping[Any, Any], root: Path, max_pixels: int) -> Answer | None:
    try:
        image = Image.fromarray(decode(root / row["path"], max_pixels, WORST_SIDE))
    except UnreadableImage as error:
        say(f"{row['path']} is not among the worst pictures that are logged: {error}")
        return None
    image.thumbnail((WORST_SIDE, WORST_SIDE))
    return Answer(row["path"], row["label"], row["predicted"], float(row["probability"]), image)
