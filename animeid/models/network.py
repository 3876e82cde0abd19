"""Building timm networks without their classifier, for pictures of a given size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import PatchEmbed
from timm.models import get_pretrained_cfg
from torch import nn

from animeid.errors import InputError


def create_network(
    name: str, image_size: tuple[int, int], drop_path_rate: float = 0.0, published: Path | None = None
) -> nn.Module:
    """The network that timm calls `name`, with random weights or those of a file that timm published for it.

    Only a network that is built for one size of pictures is told the size; timm then resamples position embeddings.

    Raises:
        InputError: it cannot be built for this size of pictures, or has no residual branches to drop.
    """
    arguments: dict[str, Any] = {"num_classes": 0}
    if _has_fixed_size(name):
        arguments["img_size"] = image_size
    if drop_path_rate > 0:
        arguments["drop_path_rate"] = drop_path_rate
    if published is not None:
        arguments |= {"pretrained": True, "pretrained_cfg_overlay": {"file": str(published)}}
    try:
        return timm.create_model(name, **arguments)
    except TypeError as error:
        if "drop_path_rate" not in str(error):
            raise
        raise InputError(
            f"model.drop_path_rate is not for {name}, which has no residual branches to drop: leave it out"
        ) from None
    except AssertionError as error:
        raise wrong_size(name, image_size, error) from error


def has_depthwise(network: nn.Module) -> bool:
    """Whether it has convolutions that see one channel at a time."""
    return any(m.groups == m.in_channels > 1 for m in network.modules() if isinstance(m, nn.Conv2d))


def frozen_parts(module: nn.Module) -> Iterator[nn.Module]:
    """The largest modules all of whose parameters are frozen."""
    free = [parameter.requires_grad for parameter in module.parameters()]
    if free and not any(free):
        yield module
    elif free:
        for child in module.children():
            yield from frozen_parts(child)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Has a module compute as in evaluation, without gradients; each of its layers gets its mode back."""
    training = [layer for layer in module.modules() if layer.training]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer in training:
            layer.training = True


def covering_size(name: str, image_size: tuple[int, int]) -> tuple[int, int]:
    """`image_size`, made larger where a network that cuts pictures into patches would leave out their edges."""
    if not _has_fixed_size(name):
        return image_size
    with torch.device("meta"):
        net = timm.create_model(name, num_classes=0)
    patch_height, patch_width = next((m.patch_size for m in net.modules() if isinstance(m, PatchEmbed)), (1, 1))
    height, width = image_size
    return height + -height % patch_height, width + -width % patch_width


def wrong_size(name: str, image_size: tuple[int, int], error: Exception) -> InputError:
    """What to say when a network refuses pictures of a size."""
    height, width = image_size
    config = get_pretrained_cfg(name)
    own = f" (its own is {' x '.join(map(str, config.input_size[1:]))})" if config else ""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(
        f"{name} cannot take pictures of {height} x {width} pixels ({reason}): "
        f"set data.image_size to another size{own}, or choose another model"
    )


def _has_fixed_size(name: str) -> bool:
    config = get_pretrained_cfg(name)
    return bool(config and config.fixed_input_size)
