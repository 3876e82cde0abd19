"""Running statistics of batch norms, estimated anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn


def counting_norms(model: nn.Module) -> dict[nn.modules.batchnorm._BatchNorm, str]:
    """The batch norms of a model that keep running statistics, each with its name."""
    named = ((layer, name) for name, layer in model.named_modules())
    return {
        layer: name
        for layer, name in named
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats
    }


def differing_norms(model: nn.Module, states: Sequence[Mapping[str, Tensor]]) -> list[nn.modules.batchnorm._BatchNorm]:
    """The batch norms of a model whose statistics are not the same in all of its states.

    Args:
        states: state dicts of this model. What training kept as it was is the same in all.
    """

    def differs(key: str) -> bool:
        return any(not torch.equal(states[0][key], other[key]) for other in states[1:])

    return [norm for norm, name in counting_norms(model).items() if differs(f"{name}.running_mean")]


@torch.no_grad()
def renew_statistics(
    model: nn.Module, norms: Sequence[nn.modules.batchnorm._BatchNorm], batches: Iterable[Tensor]
) -> None:
    """Sets running statistics to the mean over batches, which go through the model in evaluation but for these norms.

    `torch.optim.swa_utils.update_bn` puts the model into training for it, where a backbone that is frozen has its norms
    stay in evaluation: torch forgets their statistics then, and counts none anew.

    Args:
        norms: of the model.
    """
    was, momenta = model.training, [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum, norm.training = None, True
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was)
