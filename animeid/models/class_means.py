"""Class means that a linear head is blended with once it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn
from torch.nn import functional

from animeid.models.classifier import Classifier
from animeid.models.probe import linear_of
from animeid.optim.linear_fit import Linear
from animeid.system.console import counted

ASKED = "head_end=class_means"


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

    def __call__(self, model: Classifier, embeddings: Tensor, targets: Tensor) -> str:
        """Puts the blended head into the model.

        Args:
            embeddings: `[N, D]` of training pictures, as they are answered. targets: `[N]`.

        Returns:
            A sentence for people about it.
        """
        layer = linear_of(model, ASKED)
        blended = self.blended(layer, embeddings.double(), targets)
        with torch.no_grad():
            layer.weight.copy_(blended.weight)
            layer.bias.copy_(blended.bias)
        shown = counted(len(embeddings), "training picture")
        return f"the head is blended with class means of {shown}, which have a weight of {self.weight:g} beside its 1"

    def blended(self, layer: nn.Linear, embeddings: Tensor, targets: Tensor) -> Linear:
        """The layer that answers with the weighted mean of both, at the spread of the trained one's logits."""
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        middle = embeddings.mean(0)
        means = class_means(embeddings - middle, targets, layer.out_features)
        ours, theirs = spread(embeddings @ weight.T + bias), spread((embeddings - middle) @ means.T)
        share = self.weight * ours / theirs if theirs > 0 else 0.0
        whole = 1 + self.weight
        return Linear((weight + share * means) / whole, (bias - share * means @ middle) / whole)


def class_means(embeddings: Tensor, targets: Tensor, classes: int) -> Tensor:
    """`[C, D]` directions of the classes of `[N, D]` embeddings; zero for a class without a picture."""
    sums = embeddings.new_zeros(classes, embeddings.shape[1])
    sums.index_add_(0, targets, functional.normalize(embeddings, dim=1))
    return functional.normalize(sums, dim=1)


def spread(logits: Tensor) -> float:
    """Root mean square of `[N, C]` logits, the mean of each picture's taken out, since it decides nothing."""
    return float((logits - logits.mean(1, keepdim=True)).square().mean().sqrt())
