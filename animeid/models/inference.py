"""A model that answers: normalisation, network and logit offset in one module, all that an export must hold."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from animeid.models.classifier import Classifier
from animeid.models.normalise import Normalise
from animeid.types import ModelOutput


class InferenceModel(nn.Module):
    """Names pictures as they are loaded.

    Args:
        normalise: pixels to what the classifier expects.
        classifier: normalised pictures to logits.
        offset: `[C]`, what is taken off the logits, such as `tau log prior`; None takes nothing off.
    """

    offset: Tensor | None

    def __init__(self, normalise: Normalise, classifier: Classifier, offset: Tensor | None = None) -> None:
        super().__init__()
        self.normalise = normalise
        self.classifier = classifier
        self.register_buffer("offset", offset)

    @classmethod
    def of(cls, classifier: Classifier, offset: Tensor | None = None) -> Self:
        """The model of a classifier, with the normalisation and in the memory format that its backbone wants."""
        backbone = classifier.backbone
        channels_last = backbone.prefers_channels_last
        if channels_last:
            classifier = classifier.to(memory_format=torch.channels_last)
        return cls(Normalise(backbone.mean, backbone.std, channels_last), classifier, offset)

    def forward(self, image: Tensor) -> ModelOutput:
        """Answers uint8 pictures `[B, 3, H, W]`."""
        output: ModelOutput = self.classifier(self.normalise(image))
        if self.offset is not None:
            output.logits = output.logits - self.offset.to(output.logits.dtype)
        return output

    @property
    def device(self) -> torch.device:
        return self.normalise.mean.device
