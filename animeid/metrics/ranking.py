"""The one rule of which epoch, run or trial is the better one by validation."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from animeid.terms import better

DECIMALS = 6
"""Figures that agree so far are equal: the same answers, added up in another order."""

LOSS = "val/loss"


def standing(figure: float, loss: float | None, mode: Literal["min", "max"] = "max") -> tuple[float, float]:
    """What is compared, the larger the better: the figure, and among equals the loss, which is finer.

    A part of 50 pictures can tell few figures apart, and an easy one gives many epochs the same; their losses differ.

    Args:
        figure: of the validation part.
        loss: of the same part; None where it is not known, which is worse than any.
        mode: whether the figure is better low or high.
    """
    signed = -figure if mode == "min" else figure
    known = math.inf if loss is None or math.isnan(loss) else loss
    return (-math.inf if math.isnan(signed) else round(signed, DECIMALS)), -known


def best_row(history: pd.DataFrame, monitor: str) -> int:
    """The place of the best of the epochs in `history.csv`; where figure and loss are equal, the later one's.

    Args:
        history: a row an epoch.
        monitor: the figure that decides.

    Raises:
        ValueError: there is no epoch.
    """
    losses = history[LOSS] if LOSS in history else [None] * len(history)
    found = [standing(figure, loss, better(monitor)) for figure, loss in zip(history[monitor], losses, strict=True)]
    return max(range(len(found)), key=lambda place: (found[place], place))


def tied_with(history: pd.DataFrame, monitor: str, place: int) -> int:
    """How many other epochs have the figure of the one in this place."""
    figures = history[monitor].round(DECIMALS)
    return int((figures == figures.iloc[place]).sum()) - 1
