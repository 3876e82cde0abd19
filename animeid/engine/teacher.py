"""Teachers: what answers beside a student, for the very pixels that it sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from animeid.numerics import full_precision
from animeid.types import ModelOutput


class Teacher(Protocol):
    """Answers a student's pictures in its classes; anything that can do so may teach.

    features: the length of its embeddings, E.
    """

    @property
    def features(self) -> int: ...

    def to(self, device: torch.device) -> None:
        """Moves what computes."""
        ...

    def __call__(self, image: Tensor, row: Tensor) -> ModelOutput:
        """Float pictures `[B, 3, H, W]` from 0 to 255, of manifest rows `[B]`, to logits `[B, C]` and embeddings."""
        ...


class Network(Protocol):
    """What answers, such as an `InferenceModel` in evaluation mode, which nothing trains."""

    def to(self, device: torch.device) -> Any: ...

    def __call__(self, image: Tensor) -> ModelOutput:
        """Float pictures `[B, 3, H, W]` from 0 to 255, which it may write over, in classes of its own."""
        ...


@dataclass(frozen=True)
class Member:
    """A network that teaches.

    model: what answers. size: (H, W) of what it sees. columns: `[C]` int64, the places of
    the student's classes among its own. offset: `[C]`, what is added to those logits. features: of its embeddings.
    """

    model: Network
    size: tuple[int, int]
    columns: Tensor
    offset: Tensor
    features: int

    def answer(self, image: Tensor) -> ModelOutput:
        """Float pictures from 0 to 255, which are left as they are, in the student's classes."""
        if image.shape[2:] == self.size:
            seen = image.clone()  # normalising writes in place
        else:
            seen = functional.interpolate(image, self.size, mode="bilinear", antialias=True, align_corners=False)
        output = self.model(seen)
        logits = full_precision(output.logits)[:, self.columns.to(image.device)] + self.offset.to(image.device)
        return ModelOutput(logits, full_precision(output.embedding))


class Networks:
    """One network, or several whose probabilities are averaged and whose embeddings stand side by side.

    Args:
        members: one or more.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)

    @property
    def features(self) -> int:
        return sum(member.features for member in self.members)

    def to(self, device: torch.device) -> None:
        for member in self.members:
            member.model.to(device)

    @torch.no_grad()
    def __call__(self, image: Tensor, row: Tensor) -> ModelOutput:
        outputs = [member.answer(image) for member in self.members]
        if len(outputs) == 1:
            return outputs[0]
        # The logarithm of the mean probability is a logit: softmax gives the mean back.
        chances = torch.stack([output.logits.log_softmax(1) for output in outputs])
        logits = chances.logsumexp(0) - torch.tensor(float(len(outputs))).log()
        return ModelOutput(logits, torch.cat([functional.normalize(output.embedding) for output in outputs], dim=1))


class Remembering:
    """A teacher that answers each picture once: for training that shows it in the same pixels every time.

    Args:
        teacher: that is asked.
        rows: of the manifest.
    """

    def __init__(self, teacher: Teacher, rows: int) -> None:
        self.teacher = teacher
        self.known = torch.zeros(rows, dtype=torch.bool)
        self.logits, self.embedding = torch.empty(0), torch.empty(0)

    @property
    def features(self) -> int:
        return self.teacher.features

    def to(self, device: torch.device) -> None:
        self.teacher.to(device)

    def __call__(self, image: Tensor, row: Tensor) -> ModelOutput:
        places = row.cpu()
        if not self.known[places].all():
            self._keep(places, self.teacher(image, row))
        return ModelOutput(self.logits[places].to(image.device), self.embedding[places].to(image.device))

    def _keep(self, places: Tensor, output: ModelOutput) -> None:
        if not self.known.any():
            self.logits = torch.empty((len(self.known), output.logits.shape[1]))
            self.embedding = torch.empty((len(self.known), output.embedding.shape[1]))
        self.logits[places], self.embedding[places] = output.logits.cpu(), output.embedding.cpu()
        self.known[places] = True
