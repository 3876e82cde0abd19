"""Auxiliary classifiers that give the early layers of a backbone a loss of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, MinLen, doc
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.heads.linear import LinearHead
from animeid.models.taps import Stages, absolute, evenly_spaced

AUXILIARY = "auxiliary."
"""Where they stand in a classifier's state."""

Weights = Annotated[
    tuple[Annotated[float, Ge(0)], ...],
    MinLen(2),
    doc("a list of two or more numbers of at least 0, the main classifier's first"),
]

DEFAULT_WEIGHTS = (1.0, 0.3, 0.3, 0.3)


class AuxiliaryClassifiers(nn.Module):
    """Deep supervision (Lee 2015, arXiv 1409.5185), with softmax classifiers as GoogLeNet's (1409.4842).

    Each tapped feature map is averaged over its places, normalised (depths and networks differ in scale) and classified
    by a linear layer. They answer in training only, and are no part of the model that is kept.

    Args:
        tap_channels: of the feature map after each stage.
        num_classes: C.
        weights: of the loss of the main classifier first, then of each auxiliary one, from early to late.
        indices: the stages to tap, counted from 0, -1 being the last; null spreads them evenly over the depth before
            the last stage.

    Attributes:
        taps: the stages that are tapped.
        weights: as given.

    Raises:
        InputError: there are no such stages, or not as many indices as auxiliary weights.
    """

    def __init__(
        self,
        tap_channels: Sequence[int],
        num_classes: int,
        *,
        weights: Weights = DEFAULT_WEIGHTS,
        indices: Stages | None = None,
    ) -> None:
        super().__init__()
        count, stages = len(weights) - 1, len(tap_channels)
        if indices is not None and len(indices) != count:
            raise InputError(
                f"deep_supervision.indices names {len(indices)} stages, and deep_supervision.weights has {count} after "
                "the main classifier's: give one weight for each"
            )
        self.weights = tuple(weights)
        if indices is None:
            self.taps = evenly_spaced(count, stages, "deep_supervision.weights")
        else:
            self.taps = absolute(indices, stages, "deep_supervision.indices: the network")
        self.classifiers = nn.ModuleList(_classifier(tap_channels[tap], num_classes) for tap in self.taps)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """A map `[B, c, h, w]` for each tap to logits `[B, C]` for each."""
        return [classifier(features.mean((2, 3))) for classifier, features in zip(self.classifiers, maps, strict=True)]


def _classifier(channels: int, num_classes: int) -> nn.Module:
    return nn.Sequential(nn.LayerNorm(channels), LinearHead(channels, num_classes, dropout=0.0))
