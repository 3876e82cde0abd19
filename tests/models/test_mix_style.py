"""MixStyle against the paper's equations in plain loops, and the layers that it hangs on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.mix_style import EPSILON, StyleMix, mix_style, partners_across
from animeid.models.stage_modules import stage_modules


def mix_of(partner: list[int], share: list[float], *, mixes: bool = True) -> StyleMix:
    return StyleMix(torch.tensor(partner), torch.tensor(share), torch.tensor(mixes))


def statistics(channel: Tensor) -> tuple[float, float]:
    """Mean and deviation of a channel of a picture, by their definition."""
    values = [float(value) for value in channel.flatten()]
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values) + EPSILON)


def test_it_is_the_papers_equations() -> None:
    x = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(0)) * 3 + 1
    partner, share = [2, 0, 1], [0.9, 0.25, 0.0]
    expected = torch.empty_like(x)
    for i in range(3):
        for c in range(2):
            mu, sigma = statistics(x[i, c])
            mu_other, sigma_other = statistics(x[partner[i], c])
            gamma = share[i] * sigma + (1 - share[i]) * sigma_other
            beta = share[i] * mu + (1 - share[i]) * mu_other
            expected[i, c] = gamma * (x[i, c] - mu) / sigma + beta
    torch.testing.assert_close(mix_style(x, mix_of(partner, share)), expected, rtol=1e-5, atol=1e-5)


def test_a_batch_that_is_not_mixed_is_the_same_to_the_bit() -> None:
    x = torch.randn(3, 2, 4, 4)
    for precision in (torch.float32, torch.bfloat16):
        same = mix_style(x.to(precision), mix_of([1, 2, 0], [0.1] * 3, mixes=False))
        assert same.dtype == precision
        assert torch.equal(same, x.to(precision))


def test_no_gradient_goes_through_the_statistics() -> None:
    """So each picture's gradient is its own, times the ratio of the deviations."""
    x = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    mix_style(x, mix_of([1, 0], [0.3, 1.0])).sum().backward()
    sigma = [statistics(one[0])[1] for one in x.detach()]
    ratio = (0.3 * sigma[0] + 0.7 * sigma[1]) / sigma[0]
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([ratio, 1.0])[:, None, None, None].expand_as(x))


def test_a_flat_map_stays_finite() -> None:
    mixed = mix_style(torch.ones(2, 1, 3, 3), mix_of([1, 0], [0.5, 0.5]))
    torch.testing.assert_close(mixed, torch.ones(2, 1, 3, 3))


def test_partners_are_of_another_style_where_there_is_one() -> None:
    styles = np.array([0, 0, 1, -1, 2])
    drawn = np.stack([partners_across(styles, np.random.default_rng(seed)) for seed in range(200)])
    assert [set(column) for column in drawn.T[:3]] == [{2, 4}, {2, 4}, {0, 1, 4}]
    assert set(drawn[:, 3]) == {0, 1, 2, 3, 4}, "of unknown style: any"
    assert set(partners_across(np.zeros(3, dtype=np.int64), np.random.default_rng(0))) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("name", "names"),
    [("test_resnet", ["layer1", "layer2"]), ("test_efficientnet", ["blocks.1", "blocks.2"])],
)
def test_early_stages_are_those_of_strides_4_and_8(name: str, names: list[str]) -> None:
    backbone = TimmBackbone(name, (64, 64), pretrained=False).train()
    found = stage_modules(backbone, None, "feature_mixing")
    assert found == [backbone.net.get_submodule(one) for one in names]
    assert backbone.training
    assert all(not layer._forward_hooks for layer in backbone.modules())


def test_stages_are_named_by_number_and_checked() -> None:
    backbone = TimmBackbone("test_convnext", (64, 64), pretrained=False)
    assert stage_modules(backbone, (-1, 0), "feature_mixing") == [backbone.net.stages[3], backbone.net.stages[0]]
    with pytest.raises(InputError, match="stages are 0 to 3"):
        stage_modules(backbone, (7,), "feature_mixing")


@pytest.mark.parametrize(("stages", "told"), [(None, "none of them 4 or 8"), ((0,), "no maps of channels")])
def test_a_transformer_is_refused(stages: tuple[int, ...] | None, told: str) -> None:
    backbone = TimmBackbone("test_vit", (32, 32), pretrained=False)
    with pytest.raises(InputError, match=f"{told}.*feature_mixing=none"):
        stage_modules(backbone, stages, "feature_mixing")
