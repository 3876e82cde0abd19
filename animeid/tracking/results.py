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

from animeid.data.manifest import read_manifest
from animeid.data.picture_files import decode
from animeid.explain.overlay import overlay
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.metrics.worst import worst_first
from animeid.runs.folder import RunFolder
from animeid.runs.identity import leaves
from animeid.system.console import say
from animeid.system.files import read_yaml
from animeid.terms import EVALUATED_SPLITS

CLASS_COLUMNS = ("label", "support", "precision", "recall", "f1")
WORST_SIDE = 256
NO_RATES = pd.DataFrame({"epoch": [], "lr": []})

Figure = float | list[float]
"""A number, or the two ends of an interval."""


@dataclass(frozen=True)
class Answer:
    """A picture, what it shows, and what the model said.

    probability: of its answer. looked_at: the picture as the network saw it, under the heat map of the answer
    (Grad-CAM); None for networks without feature maps.
    """

    path: str
    true: str
    predicted: str
    probability: float
    image: Image.Image
    looked_at: Image.Image | None


@dataclass(frozen=True)
class Results:
    """The saved results of a run.

    plan: the run's `config.yaml`.
    figures: `metrics.json` with one name a figure, `test/f1_macro`, and `calibration.json` beside it: `temperature`,
        `test/ece_scaled`; those that do not exist are left out.
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
    parts = [part for part in EVALUATED_SPLITS if metrics.get(part)]
    worst_part = parts[-1] if parts else ""
    return Results(
        plan=plan,
        figures=flatten(metrics) | calibration(folder),
        classes={part: pd.DataFrame(metrics[part]["per_class"], columns=list(CLASS_COLUMNS)) for part in parts},
        confusion={part: confusion(folder, part) for part in parts},
        worst_part=worst_part,
        worst=worst(folder, worst_part, plan["data"]) if worst_part else [],
        rates=pd.read_csv(folder.history)[["epoch", "lr"]] if folder.was_trained else NO_RATES,
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


def calibration(folder: RunFolder) -> dict[str, Figure]:
    """The temperature, and the calibration error of each part under it; `metrics.json` has that without."""
    found = json.loads(folder.calibration.read_text(encoding="utf-8"))
    scaled = {part: {"ece_scaled": figures["ece_scaled"]} for part, figures in found["parts"].items()}
    return flatten({"temperature": found["temperature"], **scaled})


def confusion(folder: RunFolder, part: str) -> pd.DataFrame:
    """How often each class was given each answer, from the saved predictions; pairs that never occur are left out."""
    table = pd.read_parquet(folder.predictions, columns=["split", "target", "predicted"])
    table = table[(table["split"] == part) & (table["target"] >= 0)]
    table["true"] = np.array(folder.read_labels(), dtype=object)[table["target"]]
    return table.groupby(["true", "predicted"]).size().reset_index(name="pictures")


def worst(folder: RunFolder, part: str, data: Mapping[str, Any]) -> list[Answer]:
    """The answers of a part that gave the true class the least probability, from the saved logits.

    Args:
        folder: of the run.
        part: of the data.
        data: how the plan reads pictures.
    """
    table = pd.read_parquet(folder.predictions)
    chosen = np.flatnonzero((table["split"] == part).to_numpy())
    logits = np.load(folder.logits, mmap_mode="r")[chosen]
    rows = table.iloc[chosen[worst_first(logits, table["target"].to_numpy()[chosen])]]
    root, cams = read_manifest(folder.manifest).root, read_cams(folder)
    return [answer for row in rows.to_dict("records") if (answer := _answer(row, root, data, cams.get(row["row"])))]


def read_cams(folder: RunFolder) -> dict[int, np.ndarray]:
    """The saved heat maps, `[H, W]` uint8 each, by manifest row."""
    if not folder.cams.is_file():
        return {}
    with np.load(folder.cams) as stored:
        return dict(zip(stored["row"].tolist(), stored["cam"], strict=True))


def _answer(row: Mapping[Any, Any], root: Path, data: Mapping[str, Any], cam: np.ndarray | None) -> Answer | None:
    try:
        pixels = decode(root / row["path"], data["max_pixels"], WORST_SIDE)
    except UnreadableImage as error:
        say(f"{row['path']} is not among the worst pictures that are logged: {error}")
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((WORST_SIDE, WORST_SIDE))
    looked_at = None if cam is None else _looked_at(pixels, data["crop_pct"], cam)
    return Answer(row["path"], row["label"], row["predicted"], float(row["probability"]), image, looked_at)


def _looked_at(pixels: np.ndarray, crop_pct: float, cam: np.ndarray) -> Image.Image:
    return Image.fromarray(overlay(EvalTransform(cam.shape, crop_pct)(pixels), cam))
