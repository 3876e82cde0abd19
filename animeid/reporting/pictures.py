"""The parts of the page that show pictures: the worst answers and the most confused pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from animeid.explain.overlay import overlay
from animeid.html.thumbnails import LARGE, Thumbnails, as_uri
from animeid.imaging.evaluation import EvalTransform
from animeid.reporting.confusions import Pair
from animeid.reporting.wording import percent
from animeid.retrieval.neighbours import nearest
from animeid.runs.finished import FinishedRun

NEIGHBOURS = 4
SHOWN_OF_PAIR = 4


def worst(run: FinishedRun, thumbnails: Thumbnails) -> list[dict[str, Any]]:
    """The worst of the wrong answers: picture, heat map, likeliest classes, and the nearest training pictures."""
    table, found = run.predictions, run.worst_positions
    found = found[table["answer"].to_numpy()[found] != run.targets[found]]
    if not len(found):
        return []
    bank = np.flatnonzero((table["split"] == "train").to_numpy())
    count = min(NEIGHBOURS, len(bank))
    near = nearest(run.embeddings[found], run.predictions_at(bank).embeddings, count) if count else None
    cards = []
    for number, position in enumerate(found):
        row = table.iloc[position]
        shown = [(label, float(share)) for label, share in zip(row["top_k"], row["top_k_probability"], strict=True)]
        cards.append(
            {
                "path": row["path"],
                "label": row["label"],
                "predicted": row["predicted"],
                "picture": thumbnails.of(row["path"], LARGE),
                "heat": _heat(run, thumbnails, row["path"], run.cams.get(int(row["row"]))),
                "top": [{"label": label, "share": percent(share), "width": share} for label, share in shown],
                "near": [] if near is None else _near(run, thumbnails, bank[near[0][number]], near[1][number]),
            }
        )
    return cards


def _heat(run: FinishedRun, thumbnails: Thumbnails, path: str, cam: np.ndarray | None) -> str | None:
    if cam is None:
        return None
    pixels = thumbnails.pixels(path, max(cam.shape))
    if pixels is None:
        return None
    seen = EvalTransform(cam.shape, run.plan["data"]["crop_pct"])(pixels)
    image = Image.fromarray(overlay(seen, cam))
    return as_uri(image.resize((LARGE, LARGE * image.height // image.width), Image.Resampling.BILINEAR))


def _near(
    run: FinishedRun, thumbnails: Thumbnails, positions: np.ndarray, similarities: np.ndarray
) -> list[dict[str, Any]]:
    rows = run.predictions.iloc[positions]
    return [
        {"label": row["label"], "picture": thumbnails.of(row["path"]), "similarity": f"{similarity:.2f}"}
        for (_, row), similarity in zip(rows.iterrows(), similarities, strict=True)
    ]


def pairs(run: FinishedRun, thumbnails: Thumbnails, found: list[Pair]) -> list[dict[str, Any]]:
    """Each pair of classes with pictures that were taken for the other one."""
    table = run.predictions.iloc[run.positions]
    return [
        {
            "first": run.labels[pair.first],
            "second": run.labels[pair.second],
            "forth": pair.forth,
            "back": pair.back,
            "first_pictures": _of_pair(table, thumbnails, pair.first, pair.second),
            "second_pictures": _of_pair(table, thumbnails, pair.second, pair.first),
        }
        for pair in found
    ]


def _of_pair(table: pd.DataFrame, thumbnails: Thumbnails, target: int, other: int) -> list[dict[str, Any]]:
    """Pictures of one class, those that were named as the other one first, marked."""
    own = table[table["target"] == target]
    wrong = (own["answer"] == other).to_numpy()
    ordered = own.iloc[np.argsort(~wrong, kind="stable")[:SHOWN_OF_PAIR]]
    return [
        {"picture": thumbnails.of(row["path"]), "path": row["path"], "wrong": int(row["answer"]) == other}
        for _, row in ordered.iterrows()
    ]
