"""Learning rates that fall from layer to layer: timm's own grouping is the reference."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import timm
import torch
from timm.optim import param_groups_layer_decay
from torch import nn

from animeid.engine.callbacks.history import highest_rate
from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.linear import LinearHead
from animeid.models.layers import layers_below_head
from animeid.optim.groups import parameter_groups
from animeid.optim.optimisation import Optimisation
from animeid.optim.optimizers import SGD, Adam, AdamW
from animeid.optim.schedules import Schedule
from animeid.optim.schedules.cosine import CosineWarmup
from animeid.optim.schedules.one_cycle import OneCycle
from animeid.optim.schedules.plateau import ReduceOnPlateau
from animeid.optim.schedules.warm_restarts import CosineWarmRestarts

NAMES = ("resnet10t", "mobilenetv3_small_050", "test_efficientnet", "convnext_atto", "vit_tiny_patch16_224")
DECAY = 0.5


def classifier(name: str) -> Classifier:
    backbone = TimmBackbone(name, (64, 64), pretrained=False)
    return Classifier(backbone, LinearHead(backbone.num_features, 5))


@pytest.mark.parametrize("name", NAMES)
def test_rates_and_decay_are_those_of_timm(name: str) -> None:
    """timm's groups of a whole network, classifier included, against ours of a backbone and a head."""
    whole = timm.create_model(name, num_classes=5)
    exempt = whole.no_weight_decay() if hasattr(whole, "no_weight_decay") else ()
    names = {id(parameter): known for known, parameter in whole.named_parameters()}
    theirs = {
        names[id(parameter)]: (group["lr_scale"], group["weight_decay"])
        for group in param_groups_layer_decay(whole, 0.05, exempt, layer_decay=DECAY)
        for parameter in group["params"]
    }
    model = classifier(name)
    names = {id(parameter): known for known, parameter in model.named_parameters()}
    ours = {
        names[id(parameter)]: (group["lr_scale"], group["weight_decay"])
        for group in parameter_groups(model, weight_decay=0.05, layer_decay=DECAY)
        for parameter in group["params"]
    }
    assert {ours.pop("head.linear.weight"), ours.pop("head.linear.bias")} == {(1.0, 0.05), (1.0, 0.0)}
    top = whole.pretrained_cfg["classifier"]
    for suffix in ("weight", "bias"):
        theirs.pop(f"{top}.{suffix}")
    assert {known.removeprefix("backbone.net."): value for known, value in ours.items()} == theirs
    assert len({scale for scale, _ in ours.values()}) > 3


def test_the_head_comes_first_and_none_changes_nothing() -> None:
    model = classifier("resnet10t")
    groups = parameter_groups(model, weight_decay=0.05, layer_decay=DECAY)
    assert groups[0]["lr_scale"] == 1.0
    assert all("lr_scale" not in group for group in parameter_groups(model, weight_decay=0.05))
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in model.parameters())


def test_a_wrapped_backbone_is_found_and_frozen_layers_are_left_out() -> None:
    model = classifier("resnet10t")
    model.backbone.net.conv1.requires_grad_(False)
    groups = parameter_groups(nn.ModuleDict({"inner": model}), weight_decay=0.05, layer_decay=DECAY)
    scales = {group["lr_scale"] for group in groups}
    assert scales == {DECAY**distance for distance in (0, 1, 2, 3, 4, 5)}, "the stem's norm is still free"
    frozen = {id(parameter) for parameter in model.backbone.net.conv1.parameters()}
    assert not frozen & {id(parameter) for group in groups for parameter in group["params"]}


@pytest.mark.parametrize("layer_decay", [None, DECAY])
def test_the_head_has_a_rate_of_its_own(layer_decay: float | None) -> None:
    model = classifier("resnet10t")
    groups = parameter_groups(model, weight_decay=0.05, layer_decay=layer_decay, head_lr_scale=10.0)
    head = {id(parameter) for parameter in model.head.parameters()}
    assert {id(one) for group in groups if group["lr_scale"] == 10.0 for one in group["params"]} == head
    below = {group["lr_scale"] for group in groups if group["lr_scale"] != 10.0}
    assert below == ({1.0} if layer_decay is None else {DECAY**distance for distance in range(1, 6)})
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in model.parameters())
    optimizer = AdamW(lr=0.1, layer_decay=layer_decay, head_lr_scale=10.0)(groups)
    assert max(group["lr"] for group in optimizer.param_groups) == pytest.approx(1.0)


def test_what_is_trained_beside_the_model_learns_as_the_head() -> None:
    optimisation = Optimisation(
        optimizer=AdamW(lr=0.1, head_lr_scale=10.0),
        schedule=OneCycle(div_factor=1.0),
        total_steps=8,
        steps_per_epoch=2,
        head_lr_scale=10.0,
    )
    beside = nn.Linear(2, 2)
    built = optimisation.build(classifier("resnet10t"), beside)
    found = [group for group in built["optimizer"].param_groups if group["params"][0] in set(beside.parameters())]
    assert [group["lr"] for group in found] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("settings", [AdamW, Adam, SGD])
def test_each_optimizer_takes_the_rates(settings: Any) -> None:
    optimizer = settings(lr=0.1, layer_decay=DECAY)(
        parameter_groups(classifier("resnet10t"), weight_decay=0.0, layer_decay=DECAY)
    )
    for group in optimizer.param_groups:
        assert group["lr"] == pytest.approx(0.1 * group["lr_scale"])
    assert min(group["lr"] for group in optimizer.param_groups) == pytest.approx(0.1 * DECAY**5)


@pytest.mark.parametrize(
    "schedule",
    [OneCycle(), CosineWarmup(), CosineWarmRestarts(cycle_epochs=2), ReduceOnPlateau(patience=0)],
    ids=lambda schedule: type(schedule).__name__,
)
def test_schedules_keep_the_ratio_of_the_rates(schedule: Schedule) -> None:
    weights = [nn.Parameter(torch.zeros(2)) for _ in range(2)]
    settings = AdamW(lr=0.1, layer_decay=DECAY)
    optimizer = settings([{"params": [weights[0]], "lr_scale": 1.0}, {"params": [weights[1]], "lr_scale": DECAY}])
    entry = schedule.build(optimizer, total_steps=8, steps_per_epoch=2)
    figures = [0.5, 0.4, 0.4, 0.6]
    drawn = schedule.trace(lr=0.1, total_steps=8, steps_per_epoch=2, figures=figures)
    for step in range(8):
        high, low = (group["lr"] for group in optimizer.param_groups)
        assert high == pytest.approx(drawn[step])
        assert low == pytest.approx(DECAY * high)
        optimizer.step()
        if entry["interval"] == "step":
            entry["scheduler"].step()
        elif step % 2:
            entry["scheduler"].step(figures[step // 2])


def test_the_history_shows_the_highest_rate() -> None:
    groups = [{"lr": 0.1}, {"lr": 0.4}, {"lr": 0.2}]
    assert highest_rate(SimpleNamespace(param_groups=groups)) == 0.4  # type: ignore[arg-type]


def test_a_network_whose_layers_are_not_told_is_refused() -> None:
    with pytest.raises(InputError, match=r"timm does not tell the layers of Linear.*optimizer\.layer_decay"):
        layers_below_head(nn.Linear(2, 2))


def test_stages_are_coarser_than_blocks(tmp_path: Path) -> None:
    net = classifier("test_efficientnet").backbone.net
    blocks, stages = (max(layers_below_head(net, unit).values()) for unit in ("block", "stage"))  # type: ignore[arg-type]
    assert stages == len(net.blocks) + 1
    assert blocks == sum(len(stage) for stage in net.blocks) + 1
