"""Class means that a linear head is blended with once it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Gt
from torch import Tensor, nn
from torch.nn import functional

from animeid.models.classifier import Classifier
from animeid.models.probe import linear_of
from animeid.optim.linear_fit import Linear
from animeid.system.console import counted

ASKED = "head_end=class_means"
MOST_OF_A_CLASS, MOST = 200, 100_000
"""Training pictures whose mean stands for a class, and those of all classes: more hardly move a mean, and take time."""
BLOCK = 4096
"""Embeddings that are looked at together, in float64."""


@dataclass(frozen=True, kw_only=True)
class ClassMeans:
    """Blends a trained linear head with a classifier by nearest class means, into one linear head.

    A class mean is the direction of its training pictures' embeddings, each of length 1 after their mean was taken out
    (Wang 2019, SimpleShot, arXiv 1911.04623), and answers by its product with an embedding (Mensink 2013,
    10.1109/TPAMI.2013.83). To answer by the cosine would need the length of each embedding, and be no linear layer.

    Args:
        weight: of the class means, the trained head having 1, both divided by the spread of their logits.
    """

    weight: Annotated[float, Gt(0)] = 0.5

    def check(self, model: Classifier) -> None:
        """Raises:
        InputError: the model's head is not linear.
        """
        linear_of(model, ASKED)

    def __call__(self, model: Classifier, embeddings: Tensor, targets: Tensor, prior: Tensor | None) -> str:
        """Puts the blended head into the model.

        Args:
            embeddings: `[N, D]` of training pictures, as they are answered. targets: `[N]`.
            prior: `[C]`, what of the log-prior stands in the trained head's logits, and is to stand in the blended
                one's; None where that is not known, so that class means answer without any.

        Returns:
            A sentence for people about it.
        """
        layer = linear_of(model, ASKED)
        blended = self.blended(layer, embeddings, targets, prior)
        with torch.no_grad():
            layer.weight.copy_(blended.weight)
            layer.bias.copy_(blended.bias)
        shown = counted(len(embeddings), "training picture")
        return f"the head is blended with class means of {shown}, which have a weight of {self.weight:g} beside its 1"

    def blended(self, layer: nn.Linear, embeddings: Tensor, targets: Tensor, prior: Tensor | None = None) -> Linear:
        """The layer that answers with the weighted mean of both, at the spread of the trained one's logits."""
        known = torch.zeros(layer.out_features) if prior is None else prior
        trained = Linear(layer.weight.detach().double(), layer.bias.detach().double() - known.double())
        middle = sum((block.sum(0) for block, _ in blocks(embeddings, targets)), torch.tensor(0.0)) / len(embeddings)
        means = class_means(embeddings, targets, middle, layer.out_features)
        nearest = Linear(means, -means @ middle)
        ours, theirs = (spread(one, embeddings, targets) for one in (trained, nearest))
        share, whole = self.weight * ours / theirs if theirs > 0 else 0.0, 1 + self.weight
        weight = (trained.weight + share * nearest.weight) / whole
        return Linear(weight, (trained.bias + share * nearest.bias) / whole + known.double())


def blocks(embeddings: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Embeddings in float64 with their targets, some at a time."""
    for some, target in zip(embeddings.split(BLOCK), targets.split(BLOCK), strict=True):
        yield some.double(), target


def class_means(embeddings: Tensor, targets: Tensor, middle: Tensor, classes: int) -> Tensor:
    """`[C, D]` directions of the classes of `[N, D]` embeddings from their `middle`; zero for one without a picture."""
    sums = middle.new_zeros(classes, len(middle))
    for some, target in blocks(embeddings, targets):
        sums.index_add_(0, target, functional.normalize(some - middle, dim=1))
    return functional.normalize(sums, dim=1)


def spread(layer: Linear, embeddings: Tensor, targets: Tensor) -> float:
    """Root mean square of a layer's logits, the mean of each picture's taken out, since it decides nothing."""
    squares = 0.0
    for some, _ in blocks(embeddings, targets):
        logits = layer(some)
        squares += float((logits - logits.mean(1, keepdim=True)).square().sum())
    return (squares / (len(embeddings) * len(layer.bias))) ** 0.5


def some_of_each(rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of these rows, sorted, those whose pictures stand for their classes, spread over all of a class's own.

    Args:
        targets: of all rows of the manifest.
    """
    own = [rows[targets[rows] == target] for target in np.unique(targets[rows])]
    most = max(1, min(MOST_OF_A_CLASS, MOST // len(own)))
    return np.sort(np.concatenate([one[places_of(len(one), most)] for one in own]))


def places_of(number: int, most: int) -> np.ndarray:
    """At most so many of as many places, evenly."""
    return np.linspace(0, number - 1, min(most, number)).round().astype(int)
