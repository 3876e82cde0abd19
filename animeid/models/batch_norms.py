"""Running statistics of batch norms, estimated anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn


def differing_norms(model: nn.Module, states: Sequence[Mapping[str, Tensor]]) -> list[nn.modules.batchnorm._BatchNorm]:
    """The batch norms of a model that keep running statistics, but for those that are equal in all of its states.

    Args:
        states: state dicts of this model. Statistics that training left alone are equal in all, and their mean too.
    """

    def differs(key: str) -> bool:
        return any(not torch.equal(states[0][key], other[key]) for other in states[1:])

    return [
        layer
        for name, layer in model.named_modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm)
        and layer.track_running_stats
        and any(differs(f"{name}.{part}") for part in ("running_mean", "running_var"))
    ]


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
