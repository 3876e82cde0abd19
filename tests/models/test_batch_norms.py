"""Statistics of batch norms: against means and variances over batches, and those that are left alone."""

from __future__ import annotations

import torch
from torch import nn

from animeid.models.batch_norms import differing_norms, renew_statistics
from animeid.models.freezing import WholeBackbone
from tests.models.test_freezing import CNN, backbone


def test_statistics_are_means_over_batches_of_what_comes_in() -> None:
    model, batches = (
        nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.9), nn.BatchNorm2d(3)),
        torch.randn(5, 8, 3, 4, 4) * 3 + 2,
    )
    first, last = model[0], model[2]
    last.running_mean.fill_(7.0)  # type: ignore[union-attr]
    renew_statistics(model.train(), [first], batches)  # type: ignore[list-item]
    torch.testing.assert_close(first.running_mean, batches.mean((1, 3, 4)).mean(0))
    torch.testing.assert_close(
        first.running_var, torch.stack([one.transpose(0, 1).flatten(1).var(1) for one in batches]).mean(0)
    )
    assert (last.running_mean == 7).all(), "those that were not asked for stay"
    assert model.training and first.momentum == 0.1


def test_a_frozen_backbone_gets_new_statistics_too() -> None:
    net = backbone(CNN)
    WholeBackbone().apply(net)
    states = [{name: tensor.clone() for name, tensor in net.state_dict().items()} for _ in range(2)]
    moved = next(name for name in states[1] if name.endswith("running_mean"))
    states[1][moved] += 1
    (norm,) = differing_norms(net, states)
    assert norm is net.get_submodule(moved.removesuffix(".running_mean"))
    renew_statistics(net, [norm], [torch.randn(8, 3, 32, 32)])
    assert norm.running_mean.abs().sum() > 0  # type: ignore[union-attr]
    assert not torch.equal(norm.running_mean, states[0][moved])  # type: ignore[arg-type]
