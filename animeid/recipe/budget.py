"""Epochs that fit a time budget."""

from __future__ import annotations

import re
import time
from typing import Any

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.data.prepare import Prepared
from animeid.errors import InputError
from animeid.recipe.timing import Estimate, expected_time
from animeid.terms import SPLITS

SECONDS = {"s": 1, "min": 60, "h": 3600}
FIXED_S = 25.0
"""What a run takes beside its epochs and answers: reading, judging, drawing."""
RESERVE = 0.9
"""The share of the time that is planned for, since a machine's speed varies."""


def seconds_of(budget: str) -> int:
    """`90s`, `10min` and `2h` in seconds."""
    number, unit = re.fullmatch(r"(\d+)(s|min|h)", budget).groups()  # type: ignore[union-attr]
    return int(number) * SECONDS[unit]


def epochs_of(estimate: Estimate, seconds: float) -> int:
    """Epochs that a time has room for, after what is done once."""
    epoch = estimate.seconds / estimate.epochs
    return int((RESERVE * seconds - FIXED_S * estimate.trainings - estimate.answering) / epoch)


def epochs_within(request: dict[str, Any], prepared: Prepared, accelerator: str, began: float) -> int:
    """How many epochs of a request end within its budget, by measuring some of its steps.

    Args:
        began: the monotonic time from which the budget counts: what was measured before is spent.

    Raises:
        InputError: not even one.
    """
    model = {**request["model"], "pretrained": False}  # its steps take as long, and nothing is downloaded twice
    components = build(make_plan({**request, "model": model}, prepared, accelerator), prepared)
    estimate = expected_time(components, SPLITS)
    spent = time.monotonic() - began
    epochs = epochs_of(estimate, seconds_of(request["budget"]) - spent)
    if epochs < 1:
        need = (
            estimate.seconds / estimate.epochs + estimate.answering + FIXED_S * estimate.trainings
        ) / RESERVE + spent
        raise InputError(
            f"budget={request['budget']} is not enough for one epoch, which takes some {need:.0f} s in all: give more "
            "time, a smaller data.image_size or a smaller model"
        )
    return epochs
