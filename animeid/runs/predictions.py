"""The files of a run's predictions, written and read some rows at a time, so that memory holds a block of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from animeid.data.manifest import Manifest
from animeid.predictions import TOP_K, Predictions, top_k
from animeid.runs.folder import RunFolder
from animeid.system.cores import on_all_cores
from animeid.system.files import atomic
from animeid.system.rows import RowFile


def write_answers(logits: Path, embeddings: Path, parts: Mapping[str, Iterable[Predictions]]) -> dict[str, Predictions]:
    """Writes the answers of parts, which come some at a time, one part after the other.

    Returns:
        The answers; logits and embeddings stay in the files until they are looked at.
    """
    small: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    with atomic(logits) as first, atomic(embeddings) as second:
        files = RowFile(first), RowFile(second)
        for part, answers in parts.items():
            small[part] = []
            for some in answers:
                files[0].append(some.logits)
                files[1].append(some.embeddings)
                small[part].append((some.rows, some.losses))
        for file in files:
            file.finish()
    rows, losses = ({part: _joined(some, place) for part, some in small.items()} for place in (0, 1))
    return read_answers(logits, embeddings, rows, losses)


def _joined(some: list[tuple[np.ndarray, np.ndarray]], place: int) -> np.ndarray:
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.float32))[place]
    return np.concatenate([nothing, *(arrays[place] for arrays in some)])


def read_answers(
    logits: Path, embeddings: Path, rows: Mapping[str, np.ndarray], losses: Mapping[str, np.ndarray]
) -> dict[str, Predictions]:
    """The answers of parts that stand one after the other in files, which are read as far as they are looked at."""
    whole = np.load(logits, mmap_mode="r"), np.load(embeddings, mmap_mode="r")
    answers, start = {}, 0
    for part, own in rows.items():
        block = slice(start, start + len(own))
        answers[part] = Predictions(own, whole[0][block], whole[1][block], losses[part])
        start = block.stop
    return answers


def save_predictions(
    folder: RunFolder, answers: Mapping[str, Predictions], manifest: Manifest, labels: tuple[str, ...]
) -> None:
    """Writes `predictions.parquet` with `logits.npy` and `embeddings.npy` in the same row order."""
    write_answers(folder.logits, folder.embeddings, {part: answer.blocks() for part, answer in answers.items()})
    save_table(folder, answers, manifest, labels)


def save_table(
    folder: RunFolder, answers: Mapping[str, Predictions], manifest: Manifest, labels: tuple[str, ...]
) -> None:
    """Writes `predictions.parquet` alone, a block of rows a row group."""
    tables = predictions_tables(answers, manifest, labels)
    first = pa.Table.from_pandas(next(tables), preserve_index=False)
    with atomic(folder.predictions) as stream, pq.ParquetWriter(stream, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(pa.Table.from_pandas(table, first.schema, preserve_index=False))


def predictions_tables(
    answers: Mapping[str, Predictions], manifest: Manifest, labels: tuple[str, ...]
) -> Iterator[pd.DataFrame]:
    """A row a picture and split: row, split, path, label, target, predicted, probability, loss, top-k.

    Some rows at a time; one table without rows where there are none.
    """
    names = np.array(labels, dtype=object)
    nothing = np.zeros((0, len(labels)), np.float32)
    is_empty = not any(len(answer.rows) for answer in answers.values())
    if is_empty:
        answers = {"val": Predictions(np.zeros(0, np.int64), nothing, nothing, nothing[:, 0])}
    blocks = [
        (split, some) for split, answer in answers.items() for some in ([answer] if is_empty else answer.blocks())
    ]
    return on_all_cores(lambda block: _table(*block, manifest, names), blocks)


def _table(split: str, answer: Predictions, manifest: Manifest, names: np.ndarray) -> pd.DataFrame:
    table = manifest.table.iloc[answer.rows]
    order, probabilities = top_k(answer.logits, min(TOP_K, len(names)))
    return pd.DataFrame(
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
