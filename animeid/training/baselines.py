"""The trivial baselines of a run, on its own parts: a model that does not beat them has learnt nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from animeid.data.datamodule import CharacterDataModule
from animeid.data.histograms import colour_histogram
from animeid.data.manifest import Manifest
from animeid.metrics.baselines import majority, nearest_histogram
from animeid.metrics.evaluate import evaluate_several
from animeid.system.progress import Steps, progress
from animeid.types import LabelStats


def histograms(data: CharacterDataModule, rows: np.ndarray) -> np.ndarray:
    """`[N, K]` float32 colour histograms of the pictures as the model sees them in evaluation."""
    loader = data.evaluation_dataloader(rows)
    parts = []
    for batch in progress(loader, len(loader), "colour histograms"):
        pictures = batch["image"].permute(0, 2, 3, 1).numpy()
        parts += [colour_histogram(picture) for picture in pictures]
    return np.stack(parts)


def compare_with_baselines(
    data: CharacterDataModule, manifest: Manifest, judged: Mapping[str, np.ndarray], stats: LabelStats, steps: Steps
) -> dict[str, Any]:
    """`{part: {"majority": figures, "colour_histogram": figures}}` for each judged part.

    Args:
        judged: the rows of each.
        steps: of which the comparison is the one called `baselines`.
    """
    features = {part: histograms(data, rows) for part, rows in {"train": data.rows("train"), **judged}.items()}
    with steps.step("baselines"):
        return _figures(features, manifest, data.rows("train"), judged, stats)


def _figures(
    features: Mapping[str, np.ndarray],
    manifest: Manifest,
    train_rows: np.ndarray,
    judged: Mapping[str, np.ndarray],
    stats: LabelStats,
) -> dict[str, Any]:
    targets = manifest.table["target"].to_numpy()
    groups = manifest.table["group"].to_numpy(dtype=str)
    baselines: dict[str, Any] = {}
    for part, rows in judged.items():
        nearest = nearest_histogram(features["train"], targets[train_rows], features[part])
        common = majority(targets[train_rows], len(rows))
        answers = {"majority": common, "colour_histogram": nearest}
        baselines[part] = evaluate_several(answers, targets[rows], groups[rows], stats)
    return baselines
