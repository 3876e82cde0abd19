"""The long tail of a data set as a chart of text."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from animeid.plots.picture import shorten
from animeid.system.console import align

ROWS = 20
WIDTH = 40
LONGEST_NAME = 24
EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"


def bar(share: float, width: int = WIDTH) -> str:
    """A bar of `share` of `width` characters, to an eighth; never quite empty, so that the tail can be seen."""
    eighths = max(1, round(share * width * 8))
    return FULL * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def chosen_ranks(classes: int, rows: int = ROWS) -> list[int]:
    """Ranks from 0 that stand for so many classes: all of them, or evenly spread ones with both ends."""
    return np.unique(np.linspace(0, classes - 1, min(classes, rows)).round().astype(int)).tolist()


def long_tail_chart(counts: Mapping[str, int], shots: Mapping[str, str]) -> list[str]:
    """Lines with rank, name, group, pictures and a bar for classes from the largest to the smallest.

    Args:
        counts: pictures of each class, the largest first.
        shots: many, medium or few, of each class.
    """
    names, largest = list(counts), max(counts.values())
    ranks = chosen_ranks(len(names))
    rows = [
        [f"{rank + 1:>4}", shorten(names[rank], LONGEST_NAME), shots[names[rank]], f"{counts[names[rank]]:>6,}"]
        + [bar(counts[names[rank]] / largest)]
        for rank in ranks
    ]
    spread = "" if len(ranks) == len(names) else f" ({len(ranks)} of {len(names)} classes, evenly spread)"
    return align([["rank", "class", "shots", " count", f"pictures{spread}"], *rows])
