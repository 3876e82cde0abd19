"""The files of a run's predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest
from animeid.predictions import TOP_K, Predictions, top_k
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic


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
