"""Rules of `recipe=auto`. Their numbers come from experiments/recipe, on casts that are in no test."""

from __future__ import annotations

import math
from collections.abc import Callable

from animeid.recipe.choice import Choice
from animeid.recipe.facts import Facts
from animeid.system.console import counted

SIDE, SIDE_ON_GPU, SIDE_OF_PUBLISHED = 64, 128, 224
SIDE_OF_LOADED_ON_CPU = 128
LARGE_UP_TO = 1000
"""Training pictures up to which a CPU takes published weights at the size that they are at home at."""
SLOWEST, LARGE_EPOCHS = 5.0, 3
"""Pictures that a core is sure to learn from in a second at that size, and the epochs that a budget must hold."""
SMALLEST_SIDE = 32
MODEL, LOADED_MODEL = "efficientnet_lite0", "tf_efficientnet_lite0"
"""The card of the network whose weights come with the install, and timm's name of it."""
STEPS, STEPS_OF_LOADED = 1600, 600
"""Optimiser steps of a whole training, from random and from loaded weights."""
FEWEST_EPOCHS, MOST_EPOCHS = 10, 100
SHARE_FOR_BASIC = 0.75
"""Of the steps of a whole training: from there on a network learns from strongly changed pictures too."""
REFIT_UP_TO = 10
"""Training pictures of the median class up to which those of val are learnt from as well: experiments/refit measured
the gain at 3 or 4 of them; where it ends was not measured."""
LONG_TAIL = 1.5
"""The imbalance from which the loss corrects for it."""


def model(*, is_drawn: bool, is_loaded: bool) -> Choice:
    """The network.

    Args:
        is_drawn: whether the pictures are those of the built-in cast. is_loaded: whether the weights are at hand.
    """
    if is_drawn:
        return Choice("model", "small", "drawn characters are learnt fast from random weights")
    if not is_loaded:
        return Choice("model", "small", f"it learns fast from random weights, and those of {LOADED_MODEL} are not here")
    return Choice("model", MODEL, "its ImageNet weights come with the install, and are worth more than all else")


def image_size(facts: Facts) -> Choice:
    """As large as the device takes in a useful time; for random weights no larger than the pictures."""
    if facts.accelerator == "cpu" and not facts.random_weights and not facts.is_drawn:
        is_large = facts.is_published and has_time_for_large(facts)
        side = SIDE_OF_PUBLISHED if is_large else SIDE_OF_LOADED_ON_CPU
        why = "loaded weights gain more by larger pictures, even enlarged ones, than by more epochs"
    elif facts.accelerator == "cpu":
        side, why = SIDE, "a CPU learns most in a given time from pictures of this size"
    elif facts.random_weights:
        side, why = SIDE_ON_GPU, f"{facts.accelerator} has room for more than a CPU (not measured)"
    else:
        side, why = SIDE_OF_PUBLISHED, "published weights were trained near this size, and gain by it"
    if facts.side is not None and facts.side < side and not facts.is_published:
        side = max(SMALLEST_SIDE, math.ceil(facts.side / 32) * 32)
        why = f"the pictures themselves have {facts.side} px"
    return Choice("data.image_size", side, why)


def has_time_for_large(facts: Facts) -> bool:
    """Whether a CPU has time to train at the size at which published weights are at home; known of one network."""
    if facts.network != LOADED_MODEL or facts.pictures > LARGE_UP_TO:
        return False
    needed = LARGE_EPOCHS * facts.pictures / (SLOWEST * facts.cores)
    return facts.budget_s is None or facts.budget_s >= needed


def refit(facts: Facts) -> Choice:
    """Where pictures are so few that those of a validation part are missed in training."""
    if not facts.may_refit:
        return Choice("data.refit", False, "no validation part was carved from pictures of your own")
    median = f"half of the classes have at most {facts.median_class:.0f} training pictures"
    if facts.median_class > REFIT_UP_TO:
        return Choice("data.refit", False, "with that many training pictures a class, those of val are not missed")
    return Choice("data.refit", True, f"{median}, so that those of val are learnt from too, once a twin was judged")


def steps_wanted(facts: Facts) -> int:
    """Optimiser steps of a training that nobody cuts short."""
    return STEPS if facts.random_weights else STEPS_OF_LOADED


def max_epochs(facts: Facts, steps_per_epoch: int) -> Choice:
    """So many that training has a certain number of steps."""
    steps = steps_wanted(facts)
    epochs = min(max(round(steps / steps_per_epoch), FEWEST_EPOCHS), MOST_EPOCHS)
    start = "random" if facts.random_weights else "loaded"
    there = f"{counted(facts.pictures, 'picture', 'make')} {counted(steps_per_epoch, 'step')} an epoch"
    why = f"{there}, and {start} weights want some {steps}"
    return Choice("trainer.max_epochs", epochs, why)


def loss(facts: Facts) -> Choice:
    if facts.imbalance >= LONG_TAIL:
        why = f"the largest class has {facts.imbalance:.0f} times the pictures of the smallest, and all count alike"
        return Choice("loss", "balanced_softmax", why)
    return Choice("loss", "cross_entropy", "all classes have about as many pictures")


def sampler(facts: Facts) -> Choice:  # noqa: ARG001 - every rule takes the same
    return Choice("sampler", "natural", "every picture once an epoch: class sizes are the loss's business")


def mixing(facts: Facts) -> Choice:  # noqa: ARG001
    return Choice("mixing", "none", "in trainings of up to 40 epochs it gained nothing")


def scheduler(facts: Facts) -> Choice:  # noqa: ARG001
    return Choice("scheduler", "one_cycle", "the number of steps is known, and it ends at a rate of nearly 0")


def averaging(facts: Facts) -> Choice:
    if facts.refits:
        return Choice("averaging", "tail", "no validation part chooses an epoch, and the last weights alone may be off")
    return Choice("averaging", "none", "at the schedule's end weights hardly move: an average gained nothing")


def augment(facts: Facts, steps: int) -> Choice:
    """Much where there is time to learn from it; else as much as over-fitting asks for.

    Args:
        steps: optimiser steps of the whole training.
    """
    if facts.unseen_styles and not facts.random_weights:
        return Choice("augment", "style", "what is judged is in styles that training does not see, and may be any")
    if facts.is_published:
        return Choice("augment", "basic", "published weights gain by crops and changed colours however few steps are")
    if steps >= SHARE_FOR_BASIC * steps_wanted(facts):
        return Choice("augment", "basic", f"in {steps} steps crops and changed colours gain most on real pictures")
    if not facts.has_val:
        why = f"{steps} steps are few, and no validation part can say how much more training stands"
        return Choice("augment", "light", why)
    why = f"{steps} steps are few: light at first, and the stronger the more training over-fits"
    return Choice("augment", "adaptive", why)


RULES: tuple[Callable[[Facts], Choice], ...] = (loss, sampler, mixing, scheduler, averaging)
"""What does not depend on how long training is."""
