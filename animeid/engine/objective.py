"""The weighted sum of a loss's terms, over all classifiers of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from animeid.errors import InputError
from animeid.types import Batch, Loss, ModelOutput


@dataclass(frozen=True)
class LossWeights:
    """What each value of a loss counts.

    terms: by name; a term that is not named weighs 1.
    classifiers: of the main classifier's terms, then of each auxiliary classifier's; where there are no auxiliary
        logits, as in validation, the main classifier's count alone and as they are.
    """

    terms: Mapping[str, float] = field(default_factory=dict)
    classifiers: Sequence[float] = ()


def objective(loss: Loss, output: ModelOutput, batch: Batch, weights: LossWeights) -> Tensor:
    """The weighted sum of the loss's terms, `[B]`, and of those of each auxiliary classifier's logits."""
    if not (weights.classifiers and output.aux_logits):
        return _sum_of_terms(loss, output, batch, weights)
    outputs = [output, *(replace(output, logits=logits) for logits in output.aux_logits)]
    values = [_sum_of_terms(loss, replace(one, aux_logits=[]), batch, weights) for one in outputs]
    return _weighted_sum(values, weights.classifiers)


def _sum_of_terms(loss: Loss, output: ModelOutput, batch: Batch, weights: LossWeights) -> Tensor:
    terms = loss(output, batch)
    if not isinstance(terms, Mapping):
        raise InputError(
            f"the loss {type(loss).__name__} returns {type(terms).__name__}, and a loss returns its terms by name, "
            '`[B]` each: return {"loss": values}'
        )
    return _weighted_sum(list(terms.values()), [weights.terms.get(name, 1.0) for name in terms])


def _weighted_sum(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """`sum_i weight_i value_i` of `[B]` each."""
    return torch.stack([weight * value for value, weight in zip(values, weights, strict=True)]).sum(0)
