"""Number of optimiser steps."""

from __future__ import annotations


def optimizer_steps_per_epoch(batches_per_epoch: int, accumulate: int) -> int:
    """A step for every `accumulate` batches; what is left at the end of an epoch makes one more."""
    return -(-batches_per_epoch // accumulate)


def total_steps(batches_per_epoch: int, epochs: int, accumulate: int) -> int:
    """Steps of the whole run. Gradients are not carried into the next epoch, so that each epoch rounds up."""
    return optimizer_steps_per_epoch(batches_per_epoch, accumulate) * epochs
