"""Tiny pictures are trained on in float32 on CPUs, where bfloat16 leaves gradients unset."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from animeid.engine.tiny_pictures import exact_where_tiny, told_where_tiny


@pytest.mark.parametrize(("side", "is_in_bf16"), [((16, 16), False), ((48, 16), False), ((17, 24), True)])
def test_only_tiny_ones_are(side: tuple[int, int], is_in_bf16: bool) -> None:
    image = torch.zeros(1, 3, *side)
    with torch.autocast("cpu", torch.bfloat16):
        with exact_where_tiny(image):
            assert torch.is_autocast_enabled("cpu") is is_in_bf16
        assert torch.is_autocast_enabled("cpu")


def test_what_is_told_is_what_is_done() -> None:
    told = [
        bool(told_where_tiny(accelerator, precision, side))
        for accelerator in ("cpu", "cuda")
        for precision in ("bf16-mixed", "32-true")
        for side in (16, 17)
    ]
    assert told == [True, *[False] * 7]


def test_gradients_do_not_depend_on_what_was_in_memory() -> None:
    """Of a network whose last layer halves a map of one place; on some processors they do in bfloat16."""
    torch.manual_seed(0)
    layers = [layer for _ in range(5) for layer in (nn.LazyConv2d(64, 3, 2, 1, bias=False), nn.ReLU())]
    network, image = nn.Sequential(*layers), torch.randn(4, 3, 16, 16)
    network(image)

    def gradients(left_behind: float) -> list[torch.Tensor]:
        network.zero_grad(set_to_none=True)
        rubbish = [torch.full((size,), left_behind) for size in (100, 1000, 10_000, 37_000, 100_000) for _ in range(20)]
        del rubbish
        with torch.autocast("cpu", torch.bfloat16), exact_where_tiny(image):
            loss = functional.mse_loss(network(image).float(), torch.ones(4, 64, 1, 1))
        loss.backward()
        return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]

    first = gradients(0.0)
    for _ in range(5):
        torch.testing.assert_close(gradients(float("nan")), first, rtol=0, atol=0)
