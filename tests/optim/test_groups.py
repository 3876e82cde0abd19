"""Parameter groups, optimisers and the rule for the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import yaml
from timm.optim import param_groups_weight_decay
from torch import nn

from animeid.errors import InputError
from animeid.optim.groups import parameter_groups
from animeid.optim.optimizers import IN_GROUPS, SGD, Adam, AdamW, default_learning_rate

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "optimizer").glob("*.yaml"))


def ids(groups: list[dict[str, Any]], decayed: bool) -> set[int]:
    return {id(one) for group in groups if bool(group["weight_decay"]) is decayed for one in group["params"]}


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "vit_tiny_patch16_224", "convnext_atto", "resnet10t"])
def test_groups_are_those_of_timm(name: str) -> None:
    model = timm.create_model(name, num_classes=5)
    exempt = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    theirs = param_groups_weight_decay(model, 0.05, no_weight_decay_list=exempt)
    ours = parameter_groups(model, weight_decay=0.05)
    for decayed in (True, False):
        assert ids(ours, decayed) == ids(theirs, decayed)
    wrapped = parameter_groups(nn.ModuleDict({"backbone": nn.ModuleDict({"inner": model})}), weight_decay=0.05)
    assert ids(wrapped, True) == ids(theirs, True), "the names of an inner module's exemptions carry its prefix"


def test_position_embeddings_do_not_decay() -> None:
    model = timm.create_model("vit_tiny_patch16_224", num_classes=5)
    plain = ids(parameter_groups(nn.Sequential(model), weight_decay=0.05), False)
    assert {id(model.pos_embed), id(model.cls_token)} <= plain


def test_each_free_parameter_is_in_one_group() -> None:
    shared = nn.Linear(4, 4)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LayerNorm([4, 2, 2]), nn.Flatten(), shared, nn.ReLU(), shared
    )
    model[0].weight.requires_grad_(False)
    decayed, plain = parameter_groups(model, weight_decay=0.1)
    assert [id(one) for one in decayed["params"]] == [id(shared.weight)]
    listed = [id(one) for group in (decayed, plain) for one in group["params"]]
    free = [id(one) for one in model.parameters() if one.requires_grad]
    assert sorted(listed) == sorted(free)
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
    assert id(model[2].weight) in ids([plain], False), "a norm of three dimensions is a norm too"


def test_an_empty_group_is_left_out() -> None:
    assert len(parameter_groups(nn.BatchNorm2d(3), weight_decay=0.1)) == 1


def test_a_frozen_model_is_refused() -> None:
    with pytest.raises(InputError, match="nothing to train"):
        parameter_groups(nn.Linear(2, 2).requires_grad_(False), weight_decay=0.1)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_every_card_makes_an_optimizer(card: Path) -> None:
    settings = yaml.safe_load(card.read_text(encoding="utf-8"))
    module, _, name = settings.pop("_target_").rpartition(".")
    assert settings["lr"] == "auto"
    assert default_learning_rate(getattr(import_module(module), name), False, 32) > 0
    groups = parameter_groups(nn.Linear(3, 2), weight_decay=settings["weight_decay"])
    optimizer = getattr(import_module(module), name)(**{**settings, "lr": 0.25})(groups)
    assert type(optimizer) is getattr(torch.optim, name)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [settings["weight_decay"], 0.0]
    for key in ("eps", "momentum", "nesterov"):
        if key in settings:
            assert optimizer.defaults[key] == settings[key]


def trained(make: Callable[[Any], torch.optim.Optimizer]) -> torch.Tensor:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = make([{"params": [weight]}])
    for _ in range(5):
        optimizer.zero_grad()
        (weight**2 * torch.tensor([1.0, 3.0])).sum().backward()
        optimizer.step()
    return weight.detach()


def test_settings_reach_torch() -> None:
    pairs: list[tuple[Any, Any]] = [
        (
            AdamW(lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2),
            lambda p: torch.optim.AdamW(p, 0.1, (0.8, 0.9), 1e-3, 0.2),
        ),
        (
            Adam(lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2),
            lambda p: torch.optim.Adam(p, 0.1, (0.8, 0.9), 1e-3, 0.2),
        ),
        (
            SGD(lr=0.1, momentum=0.5, nesterov=True, weight_decay=0.2),
            lambda p: torch.optim.SGD(p, 0.1, 0.5, 0, 0.2, True),
        ),
    ]
    for ours, theirs in pairs:
        torch.testing.assert_close(trained(ours), trained(theirs))


@pytest.mark.parametrize("settings", [AdamW(lr=0.01), Adam(lr=0.01, weight_decay=0.1)])
def test_one_pass_over_each_tensor_is_torchs_usual_step(settings: Any) -> None:
    """Whatever the order of channels in memory, and going on from the state of a usual step."""
    usual = {"AdamW": torch.optim.AdamW, "Adam": torch.optim.Adam}[type(settings).__name__]
    nets = [
        nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1), nn.Flatten())
        for _ in range(2)
    ]
    nets[1].load_state_dict(nets[0].state_dict())
    nets = [net.to(memory_format=torch.channels_last) for net in nets]
    arguments = {key: value for key, value in vars(settings).items() if key not in IN_GROUPS}
    ours, theirs = settings([{"params": list(nets[0].parameters())}]), usual(nets[1].parameters(), **arguments)
    assert ours.defaults["fused"] is True
    images = torch.randn(6, 5, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    for place, batch in enumerate(images):
        if place == 3:
            ours.load_state_dict(deepcopy(theirs.state_dict()))
            ours.param_groups[0]["fused"] = True
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            optimizer.zero_grad()
            net(batch.to(memory_format=torch.channels_last)).square().mean().backward()
            optimizer.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [AdamW(lr=0.01), Adam(lr=0.01), SGD(lr=0.01)])
def test_a_parameter_that_thaws_later_is_trained(settings: Any) -> None:
    """It has no momentum when the others have."""
    early, late = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = settings([{"params": [early, late]}])
    for frozen in (True, False):
        early.grad, late.grad = torch.ones(2), None if frozen else torch.ones(2)
        optimizer.step()
        assert torch.equal(late, torch.ones(2)) is frozen


def test_an_unresolved_rate_is_a_bug() -> None:
    with pytest.raises(ValueError, match="must be resolved"):
        AdamW()([{"params": [nn.Parameter(torch.zeros(1))]}])


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(InputError, match="nesterov"):
        SGD(momentum=0.0)


@pytest.mark.parametrize("optimizer", [AdamW, Adam, SGD])
def test_random_weights_learn_faster_than_loaded_ones(optimizer: type) -> None:
    """A rate that is right for loaded weights starves random ones."""
    assert default_learning_rate(optimizer, False, 32) >= 5 * default_learning_rate(optimizer, True, 32)
    assert default_learning_rate(optimizer, False, 32) > 1e-3


def test_the_rate_grows_with_the_batch() -> None:
    for optimizer, growth in ((AdamW, 2.0), (SGD, 4.0)):
        small, large = (default_learning_rate(optimizer, True, size) for size in (32, 128))
        assert large / small == pytest.approx(growth, rel=0.05)


def test_an_optimizer_without_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match=r"give optimizer\.lr a number"):
        default_learning_rate(type("Lion", (), {}), False, 32)
