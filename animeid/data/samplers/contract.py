"""Contract of samplers.

A sampler is built with `rows`, `targets` and `num_classes` of the training part, then with the values of its card. It
gives a pure stream of rows (`animeid.types.Sampler`): the same `(seed, epoch)` always gives the same one.

What concerns some samplers only is a trait, which a sampler has or has not: epochs that differ (`VariesByEpoch`),
losses that it learns from (`LearnsFromLosses`), a way that leads to what was asked for (`BeginsLate`), styles that it
follows (`ChoosesByStyle`), and how much it decides (`Chooses`), without which pictures in shards cannot be read in an
order of their own.
"""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import numpy as np

from animeid.types import Sampler

Choice = Literal["nothing", "classes", "pictures"]


@runtime_checkable
class VariesByEpoch(Protocol):
    """A sampler whose epochs show classes by different distributions."""

    def prior_of(self, epoch: int) -> np.ndarray:
        """`[C]` float64: the class distribution of an epoch that begins, or is under way."""
        ...


@runtime_checkable
class LearnsFromLosses(Protocol):
    """A sampler with a flag for whether `observe` is to be told the cross entropies of training pictures."""

    learns: bool


@runtime_checkable
class BeginsLate(Protocol):
    """A sampler that shows what was asked for from an epoch on, counted from 0; only from there on one is the best."""

    begins_at: int


@runtime_checkable
class ChoosesByStyle(Protocol):
    """A sampler that follows the styles of training pictures."""

    def look_at_styles(self, styles: np.ndarray) -> None:
        """Takes in the style of each row, `[N]` int64, -1 where it is not known, before the first draw."""
        ...


@runtime_checkable
class Chooses(Protocol):
    """A sampler that tells what it decides.

    chooses: nothing, where an epoch has every picture once; which classes are shown, any picture of them being as
        good; or which pictures.
    """

    chooses: Choice


def varies_by_epoch(sampler: object) -> bool:
    """Whether the epochs of a sampler, or of a class of samplers, differ."""
    return isinstance(sampler, VariesByEpoch)


def learns(sampler: Sampler) -> bool:
    return isinstance(sampler, LearnsFromLosses) and sampler.learns


def begins_at(sampler: Sampler) -> int:
    return sampler.begins_at if isinstance(sampler, BeginsLate) else 0


def choice_of(sampler: Sampler) -> Choice:
    """What a sampler decides; one that does not tell may choose pictures."""
    return sampler.chooses if isinstance(sampler, Chooses) else "pictures"
