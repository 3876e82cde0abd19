"""Samplers and pruners of Optuna."""

from __future__ import annotations

from typing import Literal

import optuna

Method = Literal["tpe", "random", "grid"]

STARTUP_TRIALS = 5
"""So many trials run to their end before any is cut short, as the median of fewer says little."""


def sampler(method: Method, seed: int) -> optuna.samplers.BaseSampler:
    """The grid's values are told beforehand, so that its sampler has nothing to choose."""
    if method == "tpe":
        # Trials that run elsewhere count as bad ones, so that no two processes try the same.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)


def pruner(prunes: bool) -> optuna.pruners.BasePruner:
    """What cuts trials short that lie below the median of the others, or none at all."""
    return optuna.pruners.MedianPruner(STARTUP_TRIALS, 1) if prunes else optuna.pruners.NopPruner()
