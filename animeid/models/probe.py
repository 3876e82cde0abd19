"""A linear probe: the head fitted to its optimum on embeddings of a backbone that stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import VectorHead
from animeid.models.stage_contract import Stage
from animeid.optim.linear_fit import Linear, fit_linear
from animeid.system.console import counted


@dataclass(frozen=True)
class Scaling:
    """Embeddings moved to their mean and divided by one number, so that a penalty means the same for every network.

    One number for all directions: to divide each by its own spread makes noise of those that say little as loud as the
    rest, which lost on all development sets that it was tried on.

    mean: `[D]` float64. spread: the root of the mean square of what is left.
    """

    mean: Tensor
    spread: float

    @classmethod
    def of(cls, embeddings: Tensor) -> Scaling:
        """That of `[N, D]` embeddings."""
        mean = embeddings.double().mean(0)
        spread = float((embeddings.double() - mean).square().mean().sqrt())
        return cls(mean, spread if spread > 0 else 1.0)

    def __call__(self, embeddings: Tensor) -> Tensor:
        """`[N, D]` to `[N, D]` float64."""
        return (embeddings.double() - self.mean) / self.spread

    def folded(self, linear: Linear) -> Linear:
        """What gives embeddings as they are the logits that `linear` gives scaled ones."""
        weight = linear.weight / self.spread
        return Linear(weight, linear.bias - weight @ self.mean)


@dataclass(frozen=True, kw_only=True)
class LinearProbe(Stage):
    """Fits the head to the loss of the run by L-BFGS: no epochs, no rates, no seed.

    With `loss=balanced_softmax` that is multinomial logistic regression of which the prior of the training pictures
    is taken out (Ren 2020, arXiv 2007.10740), so that rare characters are named as often as others.

    Args:
        penalty: how strongly short class vectors are preferred, for embeddings of mean square 1.
    """

    trains = False
    fits_head = True

    penalty: Annotated[float, Gt(0)] = 0.02

    def attach(self, model: Classifier) -> None:
        linear_of(model, "stage=probe")  # before anything is embedded

    def fit_head(self, model: Classifier, embeddings: Tensor, losses: Callable[[Tensor], Tensor]) -> str:
        return fit_layer(linear_of(model, "stage=probe"), embeddings, losses, self.penalty)


@dataclass(frozen=True, kw_only=True)
class FittedHead:
    """Fits a linear head before training: linear probing, then fine-tuning (Kumar 2022, arXiv 2202.10054).

    Whatever the loss of the training, the head is fitted by cross entropy of which the prior of the training pictures
    is taken out: a loss may keep state, or follow training, and this is a beginning only.

    Args:
        penalty: as that of `LinearProbe`.
    """

    penalty: Annotated[float, Gt(0)] = 0.02

    def check(self, model: Classifier) -> None:
        """Raises:
        InputError: the model's head is not linear.
        """
        linear_of(model, "head_init=fitted")

    def __call__(self, model: Classifier, embeddings: Tensor, losses: Callable[[Tensor], Tensor]) -> str:
        """Puts a fitted head into the model; the arguments and what is returned are those of `Stage.fit_head`."""
        return fit_layer(linear_of(model, "head_init=fitted"), embeddings, losses, self.penalty)


def linear_of(model: Classifier, asked: str) -> nn.Linear:
    """The linear layer of a model's head.

    Raises:
        InputError: it has none; `asked` is what needs it.
    """
    if not isinstance(model.head, VectorHead):
        raise InputError(f"{asked} needs a linear head, and {type(model.head).__name__} is none: take head=linear")
    return model.head.linear


def fit_layer(layer: nn.Linear, embeddings: Tensor, losses: Callable[[Tensor], Tensor], penalty: float) -> str:
    """Fits a layer in place to `[N, D]` embeddings and the loss of each; returns a sentence for people about it."""
    scaling = Scaling.of(embeddings)
    folded = scaling.folded(fit_linear(scaling(embeddings), losses, layer.out_features, penalty=penalty))
    with torch.no_grad():
        layer.weight.copy_(folded.weight)
        layer.bias.copy_(folded.bias)
    shown = counted(len(embeddings), "training picture")
    return f"the head is fitted to embeddings of {shown} with a penalty of {penalty:g}"
