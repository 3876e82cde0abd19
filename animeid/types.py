"""Types that every room shares: batch, model output, class statistics, protocols of loss and sampler.

Shape letters: B pictures in a batch, H and W pixels, C classes, D embedding size, A attributes, N training pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from animeid.terms import ShotGroup


class Batch(TypedDict):
    """What the loader hands to the module.

    image: `[B, 3, H, W]`, uint8 as loaded, float after it was normalised on the device.
    target: `[B]` int64, or `[B, C]` float when mixed; -1 is none of the classes.
    row: `[B]` int64, the manifest row.
    draw: `[B]` int64, the position in the epoch's global stream.
    attributes: `[B, A]` float, NaN is unknown.
    style: `[B]` int64, numbers of training's styles, -1 is none of them; where a part asks for it (`UsesStyles`).
    teacher: what the teacher answers for these pixels, in training that has one: logits `[B, C]` of the same classes in
        the same order, and of the same class prior (`animeid.assembly.adjusted`), and embeddings `[B, E]`.
    """

    image: Tensor
    target: Tensor
    row: Tensor
    draw: Tensor
    attributes: NotRequired[Tensor]
    style: NotRequired[Tensor]
    teacher: NotRequired[ModelOutput]


@dataclass
class ModelOutput:
    """What a model answers for a batch.

    logits: `[B, C]`, the logits of inference (a cosine head's are scaled already).
    embedding: `[B, D]`, not normalised, always there: what the head gives logits to.
    aux_logits: auxiliary classifiers' logits, each `[B, C]`; none outside training.
    attributes: `[B, A]` logits, or None.
    """

    logits: Tensor
    embedding: Tensor
    aux_logits: list[Tensor] = field(default_factory=list)
    attributes: Tensor | None = None


@dataclass(frozen=True)
class LabelStats:
    """The classes of a run and how often training shows them.

    names: class names in target order.
    counts: `[C]` int64, training pictures per class.
    prior: `[C]` float64, the class distribution that the sampler really shows, over the run; sums to 1.
    many_above, few_below: the bounds of the groups: many has more than `many_above` training pictures, few has fewer
        than `few_below`, medium the rest.
    """

    names: tuple[str, ...]
    counts: Tensor
    prior: Tensor
    many_above: int = 100
    few_below: int = 20

    def __post_init__(self) -> None:
        sizes = {len(self.names), len(self.counts), len(self.prior)}
        if len(sizes) != 1:
            raise ValueError(f"names, counts and prior differ in length: {sorted(sizes)}")
        if not torch.isclose(self.prior.sum(), torch.ones((), dtype=self.prior.dtype), atol=1e-6):
            raise ValueError(f"the prior sums to {self.prior.sum().item()}, not to 1")

    @classmethod
    def from_counts(cls, names: tuple[str, ...], counts: Tensor, **bounds: int) -> LabelStats:
        """Stats under natural sampling, where the prior is the share of each class."""
        return cls(names, counts, counts.double() / counts.sum(), **bounds)

    def showing(self, prior: Tensor | None) -> LabelStats:
        """These classes where the sampler shows them by another prior, `[C]`; None leaves them as they are."""
        return self if prior is None else replace(self, prior=prior.to(self.prior))

    @property
    def num_classes(self) -> int:
        return len(self.names)

    @property
    def log_prior(self) -> Tensor:
        """`[C]` float32, the logarithm of the prior; a class that is never shown has that of the smallest float."""
        return self.prior.clamp_min(torch.finfo(torch.float32).tiny).log().float()

    @property
    def shown_counts(self) -> Tensor:
        """`[C]` float64, pictures of each class that an epoch shows on average.

        Losses that correct for imbalance use these: under a sampler that already balances they are equal, so that
        nothing is corrected twice.
        """
        return self.prior * self.counts.sum()

    @property
    def shot_groups(self) -> tuple[ShotGroup, ...]:
        """The group of each class, in target order."""
        return tuple(self._shot_group(int(count)) for count in self.counts)

    def _shot_group(self, count: int) -> ShotGroup:
        if count > self.many_above:
            return "many"
        return "few" if count < self.few_below else "medium"


class Loss(Protocol):
    """Terms of a loss, each `[B]` and not reduced; the module weights and reduces them.

    What concerns some losses only is a trait (see `animeid.losses.contract`).
    """

    def __call__(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]: ...


class Sampler(Protocol):
    """A pure global stream of training rows: the same `(seed, epoch)` always gives the same stream.

    What concerns some samplers only is a trait (see `animeid.data.samplers.contract`).
    """

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows; the index in this array is the draw number."""
        ...

    def prior(self) -> np.ndarray:
        """`[C]` float64, the class distribution that the stream shows, summing to 1."""
        ...

    def observe(self, rows: Tensor, values: Tensor) -> None:
        """Takes in per-picture values (`[B]`) for samplers that learn from the run."""
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@runtime_checkable
class UsesStyles(Protocol):
    """A part of training that follows the styles of pictures.

    uses_styles: whether it does, as its card has set it; then batches have `style`.
    """

    uses_styles: bool

    def take_styles(self, number: int) -> None:
        """Is told how many styles training has, two or more, before anything is trained."""
        ...
