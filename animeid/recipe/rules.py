"""What is chosen from which facts. The numbers come from experiments/recipe, on casts that are in no test."""

from __future__ import annotations

import math
from collections.abc import Callable

from animeid.recipe.choice import Choice
from animeid.recipe.facts import Facts

SIDE, SIDE_ON_GPU, SIDE_OF_PUBLISHED = 64, 128, 224
SMALLEST_SIDE = 32
STEPS, STEPS_OF_LOADED = 1600, 600
"""Optimiser steps of a whole training, from random and from loaded weights."""
FEWEST_EPOCHS, MOST_EPOCHS = 10, 100
LONG_TAIL = 1.5
"""The imbalance from which the loss corrects for it."""
STRONG_FROM = 60
"""Epochs from which pictures are changed strongly and mixed."""
AVERAGED_SHARE = 0.05
"""The span of the moving average, as a share of all steps."""


def image_size(facts: Facts) -> Choice:
    """No larger than the pictures, and as large as the device takes in a useful time."""
    if facts.accelerator == "cpu":
        side, why = SIDE, "a CPU learns most in a given time from pictures of this size"
    elif facts.random_weights:
        side, why = SIDE_ON_GPU, f"{facts.accelerator} has room for more than a CPU (not measured)"
    else:
        side, why = SIDE_OF_PUBLISHED, "published weights were trained near this size (not measured)"
    if facts.side is not None and facts.side < side:
        side = max(SMALLEST_SIDE, math.ceil(facts.side / 32) * 32)
        why = f"the pictures themselves have {facts.side} px"
    return Choice("data.image_size", side, why)


def max_epochs(facts: Facts, steps_per_epoch: int) -> Choice:
    """So many that training has a certain number of steps."""
    steps = STEPS if facts.random_weights else STEPS_OF_LOADED
    epochs = min(max(round(steps / steps_per_epoch), FEWEST_EPOCHS), MOST_EPOCHS)
    start = "random" if facts.random_weights else "loaded"
    why = f"{facts.pictures} pictures make {steps_per_epoch} steps an epoch, and {start} weights want some {steps}"
    return Choice("trainer.max_epochs", epochs, why)


def loss(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001 - every rule takes the same
    if facts.imbalance >= LONG_TAIL:
        why = (
            f"the largest class has {facts.imbalance:.0f} times the pictures of the smallest, and all shall count alike"
        )
        return Choice("loss", "balanced_softmax", why)
    return Choice("loss", "cross_entropy", "all classes have about as many pictures")


def sampler(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001
    return Choice("sampler", "natural", "the loss corrects for class sizes; a sampler on top would show the rest less")


def augment(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001
    return Choice("augment", "light", f"{epochs} epochs are too few to learn from strongly changed pictures")


def mixing(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001
    return Choice("mixing", "none", f"{epochs} epochs are too few to learn from mixed pictures")


def scheduler(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001
    return Choice("scheduler", "one_cycle", "the number of steps is known, and it ends at a rate of nearly 0")


def averaging(facts: Facts, epochs: int, steps: int) -> Choice:  # noqa: ARG001
    decay = round(1 - 1 / max(AVERAGED_SHARE * steps, 2), 4)
    why = f"a steadier model for next to nothing; it spans a twentieth of {steps} steps"
    return Choice("averaging", "ema", why, {"decay": decay})


RULES: tuple[Callable[[Facts, int, int], Choice], ...] = (loss, sampler, augment, mixing, scheduler, averaging)
"""Each from the facts, the number of epochs and that of all steps."""
