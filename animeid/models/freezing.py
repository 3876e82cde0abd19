"""Freezing of backbone weights. The head is always trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.layers import Unit, depth, layers_below_head
from animeid.values import Whole


class Freezing:
    """What a card of the group `freezing` makes; what is optional does nothing here.

    thaws: whether `at_epoch` trains parameters later that are frozen at first.
    """

    thaws = False

    def apply(self, backbone: TimmBackbone) -> None:
        """Freezes for the whole run; called once, before the optimiser is made."""
        raise NotImplementedError

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:
        """What was done, in one sentence for people."""
        raise NotImplementedError

    def of_random(self, backbone: TimmBackbone) -> str:
        """What it means that the weights which are held still are random, in a clause for people."""
        return f"the frozen weights of {backbone.name} are RANDOM, so that its features are too"

    def at_epoch(self, backbone: TimmBackbone, epoch: int) -> None:
        """Called as an epoch begins, counted from 0, or goes on after a resume."""

    def portable(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A state dict by the names that a network has into which nothing was put."""
        return dict(state)

    def remove(self, backbone: TimmBackbone) -> None:
        """Leaves a network into which the portable weights fit; called once, when training is over."""


def free_layers(backbone: TimmBackbone, layers: int, unit: Unit) -> None:
    """Trains the last `layers` blocks or stages and what stands above them, and freezes the rest.

    What is frozen as a whole is in evaluation mode from then on (see `TimmBackbone.train`).
    """
    below = layers_below_head(backbone.net, unit)
    for name, parameter in backbone.net.named_parameters():
        parameter.requires_grad_(below[name] <= layers)
    backbone.train(backbone.training)


def told(backbone: TimmBackbone, how: str) -> str:
    """A sentence with the share of weights that are frozen."""
    weights = [(parameter.numel(), parameter.requires_grad) for parameter in backbone.parameters()]
    total, trained = sum(count for count, _ in weights), sum(count for count, free in weights if free)
    return f"{how}: {trained:,} of the backbone's {total:,} weights are trained, and the head."


@dataclass(frozen=True, kw_only=True)
class WholeBackbone(Freezing):
    """Trains the head alone, on embeddings that stay what they are."""

    def apply(self, backbone: TimmBackbone) -> None:
        backbone.requires_grad_(False)
        backbone.train(backbone.training)

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:  # noqa: ARG002
        return told(backbone, "the backbone is frozen")


@dataclass(frozen=True, kw_only=True)
class AllButLast(Freezing):
    """Trains the last blocks or stages and the head.

    Args:
        trainable: how many blocks or stages are trained, counted from the top.
        unit: whether blocks or stages are counted.
    """

    trainable: Whole = 1
    unit: Unit = "stage"

    def apply(self, backbone: TimmBackbone) -> None:
        """Raises:
        InputError: the network has no more than so many blocks or stages, so that nothing would be frozen.
        """
        there = depth(backbone.net, self.unit)
        if self.trainable >= there:
            raise InputError(
                f"freezing.trainable={self.trainable} freezes nothing, since {backbone.name} has {there} {self.unit}s "
                "with its stem: choose a smaller number, or freezing=none"
            )
        free_layers(backbone, self.trainable, self.unit)

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:  # noqa: ARG002
        number = f"{self.unit} is" if self.trainable == 1 else f"{self.trainable} {self.unit}s are"
        return told(backbone, f"all but the last {number} frozen")


@dataclass(frozen=True, kw_only=True)
class BatchNorms(Freezing):
    """Keeps batch norms as they were loaded, running statistics and, if asked, scale and shift, and trains all else.

    In training they then compute as in evaluation: the network begins as what it was published as, and a head that was
    fitted to its embeddings (`head_init=fitted`) fits them from the first step.

    Args:
        affine: whether scale and shift are trained all the same.
    """

    affine: bool = False

    def apply(self, backbone: TimmBackbone) -> None:
        """Raises:
        InputError: the network has none.
        """
        norms = backbone.layers_of(nn.modules.batchnorm._BatchNorm)
        if not norms:
            raise InputError(f"freezing=batch_norms: {backbone.name} has no batch norms, take freezing=none")
        for norm in norms:
            norm.requires_grad_(self.affine)
        backbone.keep_in_evaluation(nn.modules.batchnorm._BatchNorm)  # ddp puts others of the kind in their places

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:  # noqa: ARG002
        what = "statistics of batch norms" if self.affine else "batch norms"
        return told(backbone, f"{what} stay as they were loaded")

    def of_random(self, backbone: TimmBackbone) -> str:
        return f"the weights of {backbone.name} are RANDOM, so that batch norms that stay normalise nothing"


@dataclass(frozen=True, kw_only=True)
class Gradual(Freezing):
    """Trains the head first, then one more block or stage from the top every few epochs.

    Gradual unfreezing (Howard and Ruder 2018, ULMFiT, arXiv 1801.06146, section 3.3).

    Args:
        every: epochs until the next one is trained too.
        unit: whether blocks or stages are counted.
    """

    thaws = True

    every: Whole = 1
    unit: Unit = "stage"

    def apply(self, backbone: TimmBackbone) -> None:
        """Nothing yet: the optimiser must know every parameter from the start, or its state and its schedule would
        not survive a resume. `at_epoch` freezes before the first batch; a parameter without a gradient is passed over
        by the optimiser, its weight decay included."""

    def at_epoch(self, backbone: TimmBackbone, epoch: int) -> None:
        """Frees what is to be trained in this epoch, counted from 0, and freezes the rest."""
        free_layers(backbone, epoch // self.every, self.unit)

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:
        there, reached = depth(backbone.net, self.unit), (max_epochs - 1) // self.every
        rhythm = "every epoch" if self.every == 1 else f"every {self.every} epochs"
        rest = (
            "" if reached >= there else f"; trainer.max_epochs={max_epochs} leaves the lowest {there - reached} frozen"
        )
        return f"the head is trained first, then one more of the backbone's {there} {self.unit}s {rhythm}{rest}."
