"""The results of a finished run, as trackers show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from animeid.data.picture_files import decode
from animeid.explain.overlay import overlay
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.runs.finished import Figure, FinishedRun
from animeid.system.console import say

WORST_SIDE = 256
NO_RATES = pd.DataFrame({"epochs_done": [], "lr": []})


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
    classes: for each judged part a row a class, with `finished.CLASS_COLUMNS`.
    confusion: for each judged part a row for each pair that occurs: `true`, `predicted`, `pictures`.
    worst_part, worst: the pictures of test (without it, of val) to whose class the model gave the least probability,
        the worst first.
    rates: `epochs_done`, counted from 1, and `lr` of `history.csv`.
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


def read_results(run: FinishedRun) -> Results:
    """What a finished run found, as trackers show it."""
    return Results(
        plan=run.plan,
        figures=run.named_figures,
        classes={part: run.class_figures(part) for part in run.parts},
        confusion={part: confused_pairs(run, part) for part in run.parts},
        worst_part=run.part if run.parts else "",
        worst=worst_answers(run) if run.parts else [],
        rates=NO_RATES if run.history is None else run.history[["epochs_done", "lr"]],
        pictures=run.charts,
    )


def confused_pairs(run: FinishedRun, part: str) -> pd.DataFrame:
    """How often each class was given each answer: `true`, `predicted`, `pictures`; pairs that never occur are left out.

    Ordered by the names.
    """
    counts, names = run.confusion(part).tocoo(), np.array(run.labels, dtype=object)
    table = pd.DataFrame({"true": names[counts.row], "predicted": names[counts.col], "pictures": counts.data})
    return table.sort_values(["true", "predicted"], ignore_index=True)


def worst_answers(run: FinishedRun) -> list[Answer]:
    """The answers that gave the true class the least probability, without those whose pictures are gone."""
    rows = run.predictions.iloc[run.worst_positions].to_dict("records")
    root, data = run.manifest.root, run.plan["data"]
    return [answer for row in rows if (answer := _answer(row, root, data, run.cams.get(row["row"])))]


def _answer(row: Mapping[Any, Any], root: Path, data: Mapping[str, Any], cam: np.ndarray | None) -> Answer | None:
    try:
        pixels = decode(root / row["path"], data["max_pixels"], WORST_SIDE, incomplete=True)
    except UnreadableImage as error:
        say(f"{row['path']} is not among the worst pictures that are logged: {error}")
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((WORST_SIDE, WORST_SIDE))
    looked_at = None if cam is None else _looked_at(pixels, data["crop_pct"], cam)
    return Answer(row["path"], row["label"], row["predicted"], float(row["probability"]), image, looked_at)


def _looked_at(pixels: np.ndarray, crop_pct: float, cam: np.ndarray) -> Image.Image:
    return Image.fromarray(overlay(EvalTransform(cam.shape, crop_pct)(pixels), cam))
