"""Words that every room shares: splits, shot groups, the unknown target and style, the folder of runs."""

from __future__ import annotations

from typing import Literal

UNKNOWN_TARGET = -1
"""The target of a picture that belongs to none of the classes."""

UNKNOWN_STYLE = -1
"""The style of a picture of which it is not known, or is none of training's."""

SPLITS = ("train", "val", "test", "unknown")
"""The parts of a manifest that a run answers."""

OUTPUTS = "outputs"
"""The folder of the working one that runs are written to."""

EVALUATED_SPLITS = ("val", "test")
"""The parts that figures are of, in the order of evaluation."""

ANSWERED = (*EVALUATED_SPLITS, "unknown", "train")
"""The parts that a run answers at its end, what figures are of first."""

ShotGroup = Literal["many", "medium", "few"]

SHOT_GROUPS: tuple[ShotGroup, ...] = ("many", "medium", "few")


def better(figure: str) -> Literal["min", "max"]:
    """Whether a figure of `history.csv` is better low, as losses are, or high."""
    return "min" if figure.endswith("/loss") else "max"
