"""From a model's answers to the figures and files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest
from animeid.metrics.evaluate import evaluate
from animeid.predictions import TOP_K, Predictions, top_k
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic
from animeid.types import LabelStats


def evaluate_split(answers: Predictions, manifest: Manifest, stats: LabelStats) -> dict[str, Any]:
    """One split of `metrics.json`."""
    table = manifest.table.iloc[answers.rows]
    return evaluate(
        answers.logits, table["target"].to_numpy(), table["group"].to_numpy(dtype=str), stats, answers.losses
    )


def predictions_table(answers: Mapping[str, Predictions], manifest: Manifest, labels: tuple[str, ...]) -> pd.DataFrame:
    """A row a picture and split: row, split, path, label, target, predicted, probability, loss, top-k."""
    names = np.array(labels, dtype=object)
    parts = []
    for split, answer in answers.items():
        table = manifest.table.iloc[answer.rows]
        order, probabilities = top_k(answer.logits, min(TOP_K, len(labels)))
        parts.append(
            pd.DataFrame(
                {
                    "row": answer.rows,
                    "split": split,
                    "path": table["path"].to_numpy(),
                    "label": table["label"].to_numpy(),
                    "target": table["target"].to_numpy(),
                    "group": table["group"].to_numpy(),
                    "predicted": names[order[:, 0]],
                    "probability": probabilities[:, 0],
                    "loss": answer.losses,
                    "top_k": list(names[order]),
                    "top_k_probability": list(probabilities),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def save_predictions(
    folder: RunFolder, answers: Mapping[str, Predictions], manifest: Manifest, labels: tuple[str, ...]
) -> None:
    """Writes `predictions.parquet` with `logits.npy` and `embeddings.npy` in the same row order."""
    with atomic(folder.predictions) as stream:
        predictions_table(answers, manifest, labels).to_parquet(stream, index=False)
    for path, part in ((folder.logits, "logits"), (folder.embeddings, "embeddings")):
        with atomic(path) as stream:
            np.save(stream, np.concatenate([getattr(answer, part) for answer in answers.values()]))


def read_predictions(folder: RunFolder, split: str) -> Predictions:
    """The saved answers of one split: every figure can be recomputed from them.

    `losses` are those of the run.
    """
    table = pd.read_parquet(folder.predictions, columns=["row", "split", "loss"])
    chosen = np.flatnonzero((table["split"] == split).to_numpy())
    return Predictions(
        rows=table["row"].to_numpy()[chosen],
        logits=np.load(folder.logits, mmap_mode="r")[chosen],
        embeddings=np.load(folder.embeddings, mmap_mode="r")[chosen],
        losses=table["loss"].to_numpy(dtype=np.float32)[chosen],
    )
