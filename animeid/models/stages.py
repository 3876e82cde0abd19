"""Second stages: what is done to a finished run's head so that rare classes get their due.

Kang 2020 (Decoupling Representation and Classifier, arXiv 1910.09217): a network that saw pictures as they come has
good embeddings and a head that prefers frequent classes, so that the head alone is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from animeid.errors import InputError
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import VectorHead
from animeid.models.stage_contract import Stage, Validation
from animeid.values import Tau

TAUS = np.linspace(0.0, 2.0, 21)
"""What is tried; 0 leaves the vectors as they are, 1 makes them equally long."""

SCALE = "head.linear.scale"


class ScaledLinear(nn.Module):
    """`f_c (w_c x + b_c)` with a trained `f` and frozen `w` and `b`; `f` starts at 1."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.scale = nn.Parameter(torch.ones(linear.out_features))

    def forward(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to `[B, C]`."""
        return self.scale * functional.linear(embedding, self.weight, self.bias)


@dataclass(frozen=True, kw_only=True)
class ClassifierRetraining(Stage):
    """cRT: a new head on the frozen backbone (section 4.1)."""


@dataclass(frozen=True, kw_only=True)
class WeightScaling(Stage):
    """LWS, learnable weight scaling: each class's vector keeps its direction and learns its length (section 4.1)."""

    def attach(self, model: Classifier) -> None:
        """Makes the lengths the head's only trained weights.

        Raises:
            InputError: the head's classes have no vectors with a length.
        """
        head = vector_head(model, "lws")
        head.requires_grad_(False)
        head.linear = ScaledLinear(head.linear)  # type: ignore[assignment]

    def portable(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A state dict with the lengths in the vectors, by the names that a head without them has."""
        (scale,) = (name for name in state if name.endswith(SCALE))
        layer, lengths = scale.removesuffix("scale"), state[scale]
        plain = {name: tensor for name, tensor in state.items() if name != scale}
        plain[f"{layer}weight"] = lengths[:, None] * state[f"{layer}weight"]
        plain[f"{layer}bias"] = lengths * state[f"{layer}bias"]
        return plain

    def remove(self, model: Classifier) -> None:
        """Leaves a head into which the portable weights fit."""
        head = vector_head(model, "lws")
        classes, length = head.linear.weight.shape
        head.linear = nn.Linear(length, classes)


@dataclass(frozen=True, kw_only=True)
class TauNormalisation(Stage):
    """tau-normalisation: `w_c / |w_c|^tau`, without biases (equation 4); nothing is trained.

    Args:
        tau: `auto` is the one of the best `f1_macro` on the first stage's validation part.
    """

    trains = False

    tau: Tau = "auto"

    def start(self, model: Classifier, validation: Callable[[], Validation]) -> str:
        """Normalises, and says what was done.

        Raises:
            InputError: the head's classes have no vectors with a length, or there is no validation part to choose on.
        """
        linear = vector_head(model, "tau_norm").linear
        tau = self.tau
        if tau == "auto":
            part, vectors = validation(), linear.weight.detach()
            tau = float(TAUS[part.best((part.embeddings @ normalised(vectors, at).T).numpy() for at in TAUS)])
        with torch.no_grad():
            linear.weight.copy_(normalised(linear.weight, tau))
            linear.bias.zero_()
        how = ", which is best on validation" if self.tau == "auto" else ""
        return f"class vectors are divided by their length to the power of {tau:g}{how}"


def normalised(vectors: Tensor, tau: float) -> Tensor:
    """`[C, D]`: `w / |w|^tau`."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(torch.finfo(vectors.dtype).tiny) ** tau


def vector_head(model: Classifier, stage: str) -> VectorHead:
    if not isinstance(model.head, VectorHead):
        raise InputError(
            f"stage={stage} changes the lengths of class vectors, and those of a {type(model.head).__name__} have none "
            "that counts: take stage=crt, or a first stage with head=linear"
        )
    return model.head
