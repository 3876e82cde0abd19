"""The parts of a run's page that are about its classes: groups, tiers, table, matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from animeid.reporting.confusions import shown_classes
from animeid.reporting.wording import percent, with_interval
from animeid.runs.finished import FinishedRun

TIERS = ((np.nextafter(0.9, 1), "above 90 %"), (0.6, "60 to 90 %"), (1e-9, "below 60 %"), (0.0, "0 %"))
TIER_SHOWN = 100
"""Classes of a tier that are named, those of the lowest F1."""


def train_counts(run: FinishedRun) -> np.ndarray:
    """`[C]` int64: the training pictures of each class."""
    table = run.manifest.table
    targets = table["target"][(table["split"] == "train") & (table["target"] >= 0)]
    return np.bincount(targets, minlength=len(run.labels))


def shot_group_rows(run: FinishedRun) -> list[list[str]]:
    """The rows of many, medium and few."""
    judged, data = run.judged, run.plan["data"]
    bounds = {
        "many": f"above {data['many_above']}",
        "medium": f"{data['few_below']} to {data['many_above']}",
        "few": f"under {data['few_below']}",
    }
    return [
        [
            f"{name} ({bounds[name]} training pictures)",
            f"{judged[f'{name}/classes']}",
            f"{judged[f'{name}/support']}",
            with_interval(judged, f"{name}/acc_macro"),
            with_interval(judged, f"{name}/f1_macro"),
        ]
        for name in bounds
    ]


def tiers(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The classes by F1, with how many they are; a class without pictures in the part is in none.

    Args:
        rows: the part's `per_class`.
    """
    left = sorted((row for row in rows if row["support"]), key=lambda row: -row["f1"])
    places = [next(n for n, (bound, _) in enumerate(TIERS) if row["f1"] >= bound) for row in left]
    found = []
    for number, (_, name) in enumerate(TIERS):
        inside = [row for row, tier in zip(left, places, strict=True) if tier == number]
        shown = [{"label": row["label"], "f1": percent(row["f1"])} for row in inside[-TIER_SHOWN:]]
        found.append({"name": name, "classes": shown, "count": len(inside)})
    return found


def class_rows(labels: Sequence[str], rows: Sequence[Mapping[str, Any]], counts: csr_array) -> list[dict[str, Any]]:
    """The rows of the table of classes.

    Args:
        labels: in target order.
        rows: the part's `per_class`, in target order too.
        counts: `[C, C]`, its confusion matrix.
    """
    taken = most_taken_for(counts)
    table = []
    for target, row in enumerate(rows):
        other, often = taken.get(target, (0, 0))
        taken_for = f"{labels[other]} ({often})" if often else ""
        cells = {name: row[name] for name in ("label", "train_count", "support", "groups")}
        figures = {name: row[name] if row["support"] else None for name in ("precision", "recall", "f1")}
        shown = {f"{name}_text": with_interval(row, name) if row["support"] else "–" for name in figures}
        table.append({**cells, **figures, **shown, "taken_for": taken_for})
    return table


def most_taken_for(counts: csr_array) -> dict[int, tuple[int, int]]:
    """The other class that a class is taken for most often, the first of equals, and how often; of those that are."""
    found: dict[int, tuple[int, int]] = {}
    wrong = counts.tocoo()
    for true, answer, often in zip(wrong.row.tolist(), wrong.col.tolist(), wrong.data.tolist(), strict=True):
        if true != answer and (often, -answer) > (found.get(true, (0, 0))[1], -found.get(true, (0, 0))[0]):
            found[true] = (answer, often)
    return found


def matrix_json(labels: Sequence[str], counts: csr_array) -> str:
    """JSON of `shown_classes`: labels, pictures of each class, and the cells that are not empty.

    A cell is [row, column, count], in the order in which the labels are drawn.
    """
    order = shown_classes(counts)
    cells = counts[order][:, order].tocoo()
    content = {
        "labels": [labels[place] for place in order],
        "support": counts.sum(axis=1)[order].tolist(),
        "cells": np.stack([cells.row, cells.col, cells.data], axis=1).tolist(),
    }
    # Inside a script element: a name may hold its end.
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
