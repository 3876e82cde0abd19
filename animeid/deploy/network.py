"""The network of an artefact: from the pixels of resized pictures to the answer of one run, or of several together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from animeid.engine.views import Views
from animeid.inference.predictor import Predictor
from animeid.models.inference import InferenceModel
from animeid.models.normalise import Normalise
from animeid.types import ModelOutput


class Answers(NamedTuple):
    """What an artefact's network answers, all float32.

    embedding: `[N, D]`; of several runs theirs side by side, each of length 1, so that distances are those of all.
    logits: `[N, C]`, not divided by the temperature; of several runs the logarithms of `probabilities`.
    probabilities: `[N, C]`, of several runs the mean of theirs.
    """

    embedding: Tensor
    logits: Tensor
    probabilities: Tensor


class Member(nn.Module):
    """One run: its model, its views and its temperature.

    Args:
        model: uint8 pictures `[N, 3, H, W]` to logits and embeddings.
        views: what each picture is seen in; None as it is.
        temperature: what logits are divided by before they become probabilities.
    """

    def __init__(self, model: InferenceModel, views: Views | None, temperature: float) -> None:
        super().__init__()
        self.model, self.views, self.temperature = model, views, temperature

    @classmethod
    def of(cls, predictor: Predictor) -> Self:
        """A copy of a predictor's model on the CPU, in float32 and in the memory format that exporters expect."""
        classifier = deepcopy(predictor.model.classifier).cpu().to(memory_format=torch.contiguous_format)
        backbone, offset = classifier.backbone, predictor.model.offset
        model = InferenceModel(
            Normalise(backbone.mean, backbone.std, False), classifier, None if offset is None else offset.cpu()
        )
        return cls(model.eval(), predictor.views, predictor.temperature)

    def forward(self, image: Tensor) -> ModelOutput:
        return self.model(image) if self.views is None else self.views.answer(self.model, image)


class ArtefactNetwork(nn.Module):
    """The whole of what an engine runs.

    Args:
        members: the runs; several answer by the mean of their probabilities, as `animeid.predict` over them does.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @classmethod
    def of(cls, predictors: Sequence[Predictor]) -> Self:
        return cls([Member.of(predictor) for predictor in predictors]).eval()

    def forward(self, pictures: Tensor) -> Answers:
        """Answers uint8 pictures `[N, H, W, 3]`."""
        image = pictures.permute(0, 3, 1, 2)
        outputs = [member(image) for member in self.members]
        tempered = [output.logits / member.temperature for output, member in zip(outputs, self.members, strict=True)]
        if len(outputs) == 1:
            return Answers(outputs[0].embedding, outputs[0].logits, tempered[0].softmax(1))
        embedding = torch.cat([functional.normalize(output.embedding) for output in outputs], 1)
        mean = torch.stack([one.log_softmax(1) for one in tempered]).logsumexp(0) - math.log(len(outputs))
        return Answers(embedding, mean, mean.exp())
