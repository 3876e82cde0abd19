"""Training on pictures so small that convolutions step over whole maps: in float32 on CPUs, whatever the precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from animeid.models.network import evaluating

LARGEST = 64
"""Pixels of the shorter side; no network of timm halves what is larger so often that a map is smaller than a step."""


class TinyMaps:
    """Keeps a network in float32 for pictures of which a convolution gets a map smaller than its step.

    In bfloat16 oneDNN leaves the weights' gradient of such a convolution as the memory was (seen with torch 2.15 on
    processors with AVX512-BF16): not the same twice, and sometimes NaN. Of pictures of 16 px a network that halves five
    times sees one place last, of 32 px one that halves six times.

    Args:
        net: takes pictures `[B, 3, H, W]`.
    """

    def __init__(self, net: nn.Module) -> None:
        self._net = net
        self._found: dict[tuple[int, int], bool] = {}

    def exact(self, image: Tensor) -> AbstractContextManager[object]:
        """A context without autocast for such pictures `[B, 3, H, W]` on a CPU, else one that changes nothing."""
        in_bf16 = image.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        is_tiny = in_bf16 and self.of(image.shape[-2], image.shape[-1])
        return torch.autocast("cpu", enabled=False) if is_tiny else nullcontext()

    def told(self, accelerator: str, precision: str, size: tuple[int, int]) -> str:
        """What is added to the precision that a user is told; nothing where it holds for all of his pictures.

        Args:
            size: height and width of the smallest pictures that are trained on.
        """
        if accelerator != "cpu" or precision != "bf16-mixed" or not self.of(*size):
            return ""
        return f", pictures as small as {min(size)} px in 32-true, since bf16 leaves gradients of such unset"

    def of(self, height: int, width: int) -> bool:
        """Whether a convolution of the network gets a map smaller than its step from pictures of this size.

        A network that does not take pictures so small says so itself where it is asked for an answer.
        """
        size = height, width
        if min(size) > LARGEST:
            return False
        if size not in self._found:
            try:
                self._found[size] = steps_over(self._net, height, width)
            except (RuntimeError, AssertionError, ValueError):
                self._found[size] = False
        return self._found[size]


def steps_over(net: nn.Module, height: int, width: int) -> bool:
    """Whether a convolution's step is longer than its map, of pictures of this size in pixels; the network stays."""
    found: list[bool] = []

    def look(convolution: nn.Conv2d, given: tuple[Tensor]) -> None:
        found.append(any(side < step for side, step in zip(given[0].shape[-2:], convolution.stride, strict=True)))

    stepping = [module for module in net.modules() if isinstance(module, nn.Conv2d) and max(module.stride) > 1]
    hooks = [module.register_forward_pre_hook(look) for module in stepping]
    try:
        with evaluating(net), torch.autocast("cpu", enabled=False):
            net(torch.zeros(1, 3, height, width))
    finally:
        for hook in hooks:
            hook.remove()
    return any(found)
