"""Equal and nearly equal pictures with different labels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def exact_conflicts(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Pairs of rows with one sha256 and different labels: each with the first of every other label."""
    firsts: dict[str, dict[str, int]] = {}
    for row, (label, sha256) in enumerate(zip(table["label"], table["sha256"], strict=True)):
        if label:
            firsts.setdefault(sha256, {}).setdefault(label, row)
    pairs = []
    for row, (label, sha256) in enumerate(zip(table["label"], table["sha256"], strict=True)):
        others = firsts.get(sha256, {}) if label else {}
        pairs += [(first, row) for other, first in others.items() if other != label and first < row]
    return pairs


def listed(table: pd.DataFrame, exact: Sequence[tuple[int, int]], near: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Columns kind (`exact` or `near`), path, label, other_path, other_label: a row a pair, ordered."""
    rows = sorted({(0, *pair) for pair in exact} | {(1, *pair) for pair in set(near) - set(exact)})
    first, second = [row for _, row, _ in rows], [row for _, _, row in rows]
    return pd.DataFrame(
        {
            "kind": ["near" if near else "exact" for near, _, _ in rows],
            "path": table["path"].to_numpy()[first],
            "label": table["label"].to_numpy()[first],
            "other_path": table["path"].to_numpy()[second],
            "other_label": table["label"].to_numpy()[second],
        },
        dtype=str,
    )
