"""Where a convolution steps over a whole map CPUs train in float32; bfloat16 leaves gradients unset."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from animeid.engine.callbacks.mix_style import MixStyle
from animeid.engine.tiny_maps import TinyMaps, steps_over
from animeid.models.backbone import TimmBackbone


def halving(times: int) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [layer for _ in range(times) for layer in (nn.LazyConv2d(64, 3, 2, 1, bias=False), nn.ReLU())]
    network = nn.Sequential(*layers)
    network(torch.zeros(1, 3, 64, 64))
    return network


@pytest.mark.parametrize(("times", "size"), [(5, (16, 16)), (5, (48, 16)), (6, (32, 32)), (7, (64, 64))])
def test_float32_is_kept_where_a_step_is_longer_than_a_map(times: int, size: tuple[int, int]) -> None:
    maps = TinyMaps(halving(times))
    for side, is_in_bf16 in ((size, False), ((size[0] + 1, size[1] + 1), True)):
        with torch.autocast("cpu", torch.bfloat16):
            with maps.exact(torch.zeros(1, 3, *side)):
                assert torch.is_autocast_enabled("cpu") is is_in_bf16
            assert torch.is_autocast_enabled("cpu")


def test_a_long_step_needs_a_larger_map() -> None:
    assert [steps_over(nn.Conv2d(3, 4, 4, 4, padding=1), side, side) for side in (2, 3, 4)] == [True, True, False]


@pytest.mark.parametrize(("name", "largest"), [("resnet10t", 16), ("selecsls42", 32)])
def test_networks_of_timm(name: str, largest: int) -> None:
    """One halves five times, the other six times."""
    backbone = TimmBackbone(name, image_size=(64, 64), pretrained=False).train()
    before = {key: tensor.clone() for key, tensor in backbone.state_dict().items()}
    draws = torch.get_rng_state()
    maps = TinyMaps(backbone)
    assert [side for side in (16, 24, 32, 48, 64) if maps.of(side, side)] == [
        side for side in (16, 24, 32) if side <= largest
    ]
    assert backbone.training
    assert torch.equal(torch.get_rng_state(), draws)
    assert all(torch.equal(tensor, before[key]) for key, tensor in backbone.state_dict().items())


def test_a_network_is_asked_in_the_middle_of_a_step_in_which_styles_are_mixed() -> None:
    backbone = TimmBackbone("resnet10t", image_size=(32, 32), pretrained=False).train()
    mixing = MixStyle(0, backbone, probability=1.0)
    mixing.on_fit_start(None, None)  # type: ignore[arg-type]
    batch = {"image": torch.zeros(4, 3, 32, 32), "draw": torch.zeros(4, dtype=torch.int64)}
    mixing.on_train_batch_start(SimpleNamespace(current_epoch=0), None, batch, 0)  # type: ignore[arg-type]
    assert not TinyMaps(backbone).of(32, 32)
    assert TinyMaps(backbone).of(16, 16)


def test_a_network_that_takes_none_so_small_is_left_to_say_so() -> None:
    assert not TinyMaps(nn.Conv2d(3, 4, 7, 2)).of(4, 4)


def test_what_is_told_is_what_is_done() -> None:
    told = [
        bool(TinyMaps(halving(5)).told(accelerator, precision, (side, side)))
        for accelerator in ("cpu", "cuda")
        for precision in ("bf16-mixed", "32-true")
        for side in (16, 17)
    ]
    assert told == [True, *[False] * 7]


def test_gradients_do_not_depend_on_what_was_in_memory() -> None:
    """Of a network whose last layer halves a map of one place; on some processors they do in bfloat16."""
    network = halving(5)
    image = torch.randn(4, 3, 16, 16)
    maps = TinyMaps(network)

    def gradients(left_behind: float) -> list[torch.Tensor]:
        network.zero_grad(set_to_none=True)
        rubbish = [torch.full((size,), left_behind) for size in (100, 1000, 10_000, 37_000, 100_000) for _ in range(20)]
        del rubbish
        with torch.autocast("cpu", torch.bfloat16), maps.exact(image):
            loss = functional.mse_loss(network(image).float(), torch.ones(4, 64, 1, 1))
        loss.backward()
        return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]

    first = gradients(0.0)
    for _ in range(5):
        torch.testing.assert_close(gradients(float("nan")), first, rtol=0, atol=0)
