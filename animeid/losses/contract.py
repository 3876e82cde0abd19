"""Contract of losses.

A loss is built with `stats`, the classes and how often training shows them, then with the values of its card. Called
with a model's output and a batch it answers its terms, `[B]` each and not reduced (`animeid.types.Loss`). A picture of
no class (-1) costs nothing; targets may be shares `[B, C]`, in which every loss is linear.

A loss that changes while it trains has the method for what it follows: `set_progress`, `set_prior`, `observe_recall`.
They are called on the loss and on every loss within it, the outermost first, by the callbacks of
`animeid.engine.callbacks`; what a loss has learnt so lies in its buffers, which are saved with the model.

A term beside the loss, of embeddings (`EmbeddingTerm`), is built with `in_features` and `num_classes`. It is there in
training only, follows what a loss can follow of progress, and its weights are no part of the model that is kept.
So is a term that compares with a teacher (`DistillationTerm`), built with `in_features` and `teacher_features`.

What a class of losses does about imbalance is said by attributes of the class, `lifts_rare_classes` and
`adjusts_by_prior`, which are read without building one: an adjustment after training must not do it again.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from animeid.types import Batch, Loss, ModelOutput

Trait = TypeVar("Trait")


class EmbeddingTerm(nn.Module):
    """A term of embeddings beside the loss.

    Attributes:
        weight: of the term beside the loss.
    """

    weight: float

    def forward(self, embedding: Tensor, batch: Batch) -> Tensor:
        """Embeddings `[B, D]` and their batch, with hard targets, to the term `[B]`, without its weight."""
        raise NotImplementedError


class DistillationTerm(nn.Module):
    """A term beside the loss that draws the student to its teacher's answers.

    Attributes:
        weight: of the term beside the loss.
        compares: what it reads of both outputs; one of logits needs a student whose head has no margin.
    """

    weight: float
    compares: Literal["logits", "embedding"]

    def forward(self, output: ModelOutput, batch: Batch) -> Tensor:
        """The student's output, and a batch with `teacher`, to the term `[B]`, without its weight."""
        raise NotImplementedError


@runtime_checkable
class ViewsInOtherStyles(Protocol):
    """A class of terms that says whether what is drawn beside a picture, its further views, is of other styles."""

    views_in_other_styles: bool


@runtime_checkable
class FollowsProgress(Protocol):
    """A loss that depends on how far training is."""

    def set_progress(self, epoch: int, step: int, total_steps: int, epochs: int) -> None:
        """Is told as each epoch begins, the first being 0, and `step` of so many optimiser steps."""
        ...


@runtime_checkable
class HasPhases(Protocol):
    """A loss that becomes what was asked for only once training is far enough.

    has_begun: whether it is so; only epochs after that can be the best.
    """

    has_begun: bool


@runtime_checkable
class FollowsPrior(Protocol):
    """A loss that depends on how often training shows each class."""

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run.

        Called only where it changes over the epochs: as each begins, and with None where epochs are compared.
        """
        ...


@runtime_checkable
class FollowsRecall(Protocol):
    """A loss that learns from validation."""

    def observe_recall(self, recall: Tensor) -> None:
        """Takes in the recall `[C]` of an epoch's validation, NaN for a class without pictures."""
        ...


@runtime_checkable
class LiftsRareClasses(Protocol):
    """A class of losses that says whether it favours rare classes by other means than the prior."""

    lifts_rare_classes: bool


@runtime_checkable
class AdjustsByPrior(Protocol):
    """A class of losses that says whether the logits that are learnt are adjusted by the prior already.

    Where it is so, a `tau` of 0 on its card is no adjustment.
    """

    adjusts_by_prior: bool


def lifts_rare_classes(loss: object) -> bool:
    """Whether a class of losses favours rare classes; one that does not tell does not."""
    return isinstance(loss, LiftsRareClasses) and loss.lifts_rare_classes


def adjusts_by_prior(loss: object) -> bool:
    """Whether a class of losses adjusts logits by the prior; one that does not tell does not."""
    return isinstance(loss, AdjustsByPrior) and loss.adjusts_by_prior


def views_in_other_styles(term: object) -> bool:
    """Whether further views are pictures of the class in other styles; one that does not tell has the picture again."""
    return isinstance(term, ViewsInOtherStyles) and term.views_in_other_styles


def parts_with(loss: Loss, trait: type[Trait]) -> list[Trait]:
    """The loss and the losses within it that have a trait, the outermost first."""
    parts = loss.modules() if isinstance(loss, nn.Module) else [loss]
    return [part for part in parts if isinstance(part, trait)]
