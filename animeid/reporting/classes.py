"""The parts of a run's page that are about its classes: groups, tiers, table, matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from animeid.reporting.confusions import similar_order
from animeid.reporting.wording import percent, with_interval
from animeid.runs.finished import FinishedRun

TIERS = ((0.9, "above 90 %"), (0.6, "60 to 90 %"), (1e-9, "below 60 %"), (-1.0, "0 %"))


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
    """The classes by F1; a class without pictures in the part is in none.

    Args:
        rows: the part's `per_class`.
    """
    left = sorted((row for row in rows if row["support"]), key=lambda row: -row["f1"])
    found = []
    for bound, name in TIERS:
        inside = [row for row in left if row["f1"] > bound or (bound == 0.6 and row["f1"] == bound)]
        left = [row for row in left if row not in inside]
        shown = [{"label": row["label"], "f1": percent(row["f1"])} for row in inside]
        found.append({"name": name, "classes": shown})
    return found


def class_rows(labels: Sequence[str], rows: Sequence[Mapping[str, Any]], counts: np.ndarray) -> list[dict[str, Any]]:
    """The rows of the table of classes.

    Args:
        labels: in target order.
        rows: the part's `per_class`.
        counts: `[C, C]`, its confusion matrix.
    """
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    table = []
    for row in rows:
        target = labels.index(row["label"])
        other = int(wrong[target].argmax())
        taken_for = f"{labels[other]} ({wrong[target, other]})" if wrong[target, other] else ""
        cells = {name: row[name] for name in ("label", "train_count", "support", "groups")}
        figures = {name: row[name] if row["support"] else None for name in ("precision", "recall", "f1")}
        shown = {f"{name}_text": with_interval(row, name) if row["support"] else "–" for name in figures}
        table.append({**cells, **figures, **shown, "taken_for": taken_for})
    return table


def matrix_json(labels: Sequence[str], counts: np.ndarray) -> str:
    """JSON: labels in the order in which they are drawn, and the cells that are not empty as [row, column, count]."""
    order = similar_order(counts)
    ordered = counts[np.ix_(order, order)]
    cells = [
        [int(row), int(column), int(ordered[row, column])] for row, column in zip(*np.nonzero(ordered), strict=True)
    ]
    content = {"labels": [labels[place] for place in order], "cells": cells}
    # Inside a script element: a name may hold its end.
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
