"""Layers of a backbone whose output is the feature map of a stage."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.network import evaluating
from animeid.models.taps import absolute

EARLY = (4, 8)
"""Strides of the first two groups of residual blocks of a ResNet, in a network of any kind."""


def stage_modules(backbone: TimmBackbone, indices: Sequence[int] | None, key: str) -> list[nn.Module]:
    """The layers whose outputs are the feature maps `[B, c, h, w]` of these stages.

    Args:
        backbone: any that can be tapped.
        indices: of stages, counted from 0, -1 being the last; None takes those with the strides of `EARLY`.
        key: what asks for them, for the message.

    Raises:
        InputError: there are no such stages, or their layers give something else than maps of channels.
    """
    stages = len(backbone.tap_channels)
    info = backbone.net.feature_info
    if indices is None:
        chosen = tuple(place for place in range(stages) if info[place]["reduction"] in EARLY)
        if not chosen:
            strides = ", ".join(str(stage["reduction"]) for stage in info)
            raise _unfit(backbone, key, f"its stages have the strides {strides}, none of them 4 or 8")
    else:
        chosen = absolute(indices, stages, f"{key}: the network")
    layers = [backbone.net.get_submodule(info[place]["module"]) for place in chosen]
    if not _give_maps(backbone, layers, chosen):
        raise _unfit(backbone, key, "its layers give no maps of channels, rows and columns")
    return layers


def _give_maps(backbone: TimmBackbone, layers: Sequence[nn.Module], stages: Sequence[int]) -> bool:
    """Whether the outputs of these layers are the maps of these stages, in the same layout."""
    found: list[object] = []
    handles = [layer.register_forward_hook(lambda _, __, output: found.append(output)) for layer in layers]
    device = next(backbone.parameters()).device
    picture = torch.rand(1, 3, *backbone.image_size, device=device, generator=torch.Generator(device).manual_seed(0))
    try:
        with evaluating(backbone):
            maps, _ = backbone.forward_taps(picture, sorted(stages))
    finally:
        for handle in handles:
            handle.remove()
    return len(found) == len(maps) and all(
        isinstance(one, torch.Tensor) and one.shape == other.shape and bool((one == other).all())
        for one, other in zip(found, maps, strict=True)
    )


def _unfit(backbone: TimmBackbone, key: str, reason: str) -> InputError:
    return InputError(
        f"{key} mixes feature maps of convolutional networks, and {backbone.name} does not fit ({reason}): name "
        f"stages, choose another model, or take {key}=none"
    )
