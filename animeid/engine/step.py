"""Output of a step, for callbacks."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from torch import Tensor

from animeid.types import ModelOutput


class StepOutput(TypedDict):
    """Of a batch, without gradients but for the loss that is trained by.

    loss: in training, the mean `[]`.
    output: of the model, without auxiliary logits.
    plain_logits: in training where they are asked for, `[B, C]` as the model names pictures: without a margin.
    """

    loss: NotRequired[Tensor]
    output: ModelOutput
    plain_logits: NotRequired[Tensor]


def without_gradients(output: ModelOutput) -> ModelOutput:
    """The output as callbacks see it, which holds no graph in memory."""
    return ModelOutput(output.logits.detach(), output.embedding.detach())
