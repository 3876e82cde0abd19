"""Epochs in loggers, counted as people count them."""

from __future__ import annotations

from collections.abc import Mapping


def counted_from_one(metrics: Mapping[str, float]) -> dict[str, float]:
    """The figures of a step; Lightning puts the index of the epoch under way beside them, which counts from 0."""
    return {name: value + 1 if name == "epoch" else value for name, value in metrics.items()}
