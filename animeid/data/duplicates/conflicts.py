"""Equal and nearly equal pictures with different labels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def exact_conflicts(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Pairs of rows with one sha256 and different labels, smaller row first: each row with every other label's first.

    So every copy is in a pair, and a thousand copies under two labels give a thousand pairs, not a million.
    """
    firsts: dict[str, dict[str, int]] = {}
    copies = [
        (row, label, firsts.setdefault(sha256, {}))
        for row, (label, sha256) in enumerate(zip(table["label"], table["sha256"], strict=True))
        if label
    ]
    for row, label, first in copies:
        first.setdefault(label, row)
    pairs = {
        (min(row, other), max(row, other))
        for row, label, first in copies
        for other_label, other in first.items()
        if other_label != label
    }
    return sorted(pairs)


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
