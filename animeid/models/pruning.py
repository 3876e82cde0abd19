"""Channels of least weight taken out of a network, with all that depends on them, by torch-pruning."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from annotated_types import Interval
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.network import evaluating
from animeid.models.shapes import smaller
from animeid.system.console import how_to_install

TOGETHER = 8
"""Channels that are left are a multiple of it, which processors compute at once."""
TOLERANCE = 1e-5
"""Relative error at most of the network as it is built again."""


@dataclass(frozen=True, kw_only=True)
class ChannelPruning:
    """Structured pruning by the dependency graph (Fang 2023, DepGraph, arXiv 2301.12900).

    What must shrink together is a group: the outputs of a convolution with its norm and with the inputs of all that
    read it, those that a sum joins with theirs. In each group the same share goes, the channels with the least L2 norm
    over all of its weights. The embedding keeps its length, so that the head stays what it was.

    Args:
        ratio: the share of channels that go, at most: those that are left are a multiple of 8.
    """

    ratio: Annotated[float, Interval(gt=0, lt=1)] = 0.3

    def apply(self, backbone: TimmBackbone) -> None:
        """Prunes in place.

        Raises:
            InputError: torch-pruning is not installed, does not understand the network, or nothing is left to take.
        """
        try:
            import torch_pruning
        except ImportError as error:
            raise InputError(
                f"prune=channels needs torch-pruning, which cannot be imported ({error}): {how_to_install('prune')}"
            ) from error
        whole = dict(backbone.net.state_dict())
        with _understood(backbone.name), warnings.catch_warnings(action="ignore"):
            _take_out(torch_pruning, backbone, self.ratio)
        shapes = smaller(backbone.net, whole)
        if not shapes:
            raise InputError(
                f"prune.ratio={self.ratio:g} takes no channel out of {backbone.name}, since as many must be left as "
                f"make a multiple of {TOGETHER}: take a larger ratio, or a wider network"
            )
        backbone.was_pruned(shapes)
        _check_built_again(backbone)


class _Probed(nn.Module):
    """A backbone under a layer that shows what its embedding is made by."""

    def __init__(self, backbone: TimmBackbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.probe = nn.Linear(backbone.num_features, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.probe(self.backbone(image))


@contextmanager
def _understood(name: str) -> Iterator[None]:
    """Whatever the library, or a network that it has broken, raises means that the two do not fit."""
    try:
        yield
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(
            f"torch-pruning does not understand {name} ({reason}): prune a network of convolutions such as "
            "model=mobilenetv2 or model=resnet18, or leave out prune"
        ) from error


def _take_out(library: Any, backbone: TimmBackbone, ratio: float) -> None:
    probed, device = _Probed(backbone), next(backbone.parameters()).device
    picture = torch.zeros(1, 3, *backbone.image_size, device=device)
    modes = {module: module.training for module in backbone.modules()}
    free = {name: parameter.requires_grad for name, parameter in backbone.named_parameters()}
    probed.to(device).eval()
    backbone.requires_grad_(True)  # what depends on what is read from gradients
    pruner = library.pruner.BasePruner(
        probed,
        picture,
        importance=library.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio_dict=_shares(backbone, ratio),
        ignored_layers=[probed.probe, *_above(library, probed, picture)],
    )
    pruner.step()
    with torch.no_grad():
        backbone(picture)
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(free[name])
    for module, mode in modes.items():
        module.training = mode


def _shares(backbone: TimmBackbone, ratio: float) -> dict[nn.Module, float]:
    """The share that goes of each layer's outputs; of a group of layers, which have as many, it is the same.

    The library keeps the whole part of what is left, and its own rounding takes half of 16 channels for a ratio of 0.3.
    """
    found: dict[nn.Module, float] = {}
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            there = len(layer.weight)
            found[layer] = 1 - (left_of(there, ratio) + 0.5) / there
    return found


def left_of(channels: int, ratio: float) -> int:
    """How many channels are left: at least the wanted share, and the next multiple of 8 where there are so many."""
    return min(channels, TOGETHER * math.ceil(channels * (1 - ratio) / TOGETHER - 1e-9))


def _above(library: Any, probed: _Probed, picture: Tensor) -> list[nn.Module]:
    """The layers whose outputs are the embedding's."""
    graph = library.DependencyGraph().build_dependency(probed, example_inputs=picture)
    found: dict[nn.Module, None] = {}
    for group in graph.get_all_groups(root_module_types=[nn.Conv2d, nn.Linear]):
        layers = [one.target.module for one, _ in group if graph.is_out_channel_pruning_fn(one.handler)]
        if any(one.target.module is probed.probe for one, _ in group):
            found |= dict.fromkeys(layer for layer in layers if layer is not probed.probe)
    return list(found)


def _check_built_again(backbone: TimmBackbone) -> None:
    """Raises:
    InputError: the network that a run's folder describes would not be this one.
    """
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, *backbone.image_size, generator=generator)
    again = TimmBackbone(backbone.name, backbone.image_size, pretrained=False, shapes=backbone.shapes)
    try:
        again.load_state_dict({name: tensor.cpu() for name, tensor in backbone.state_dict().items()})
    except RuntimeError as error:
        raise _another(backbone.name) from error
    device = next(backbone.parameters()).device
    with evaluating(backbone), evaluating(again):
        expected, found = backbone(picture.to(device)).cpu(), again(picture)
    if (found - expected).norm() > TOLERANCE * expected.norm():
        raise _another(backbone.name)


def _another(name: str) -> InputError:
    return InputError(
        f"{name} cannot be built again from the shapes that pruning leaves, so that a run's folder could not hold it: "
        "prune another network, or leave out prune"
    )
