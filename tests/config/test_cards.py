"""The contract of every card: it is found by itself, and fits what it names."""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from animeid.config.check import check, is_node
from animeid.config.locate import conf_dir, groups
from animeid.config.roots import roots
from animeid.config.signatures import signature

WITHOUT_TARGET = {"experiment", "scale", "stage", "effort", "space", "debug", "inference"}
"""Groups whose cards change keys all over the configuration."""

CARDS = [
    (group, card)
    for group, cards in groups(conf_dir()).items()
    # Those below hydra/ are Hydra's to check.
    if group not in WITHOUT_TARGET and not group.startswith("hydra/")
    for card in cards
]


@cache
def composed(group: str, card: str) -> Any:
    """What a card makes of its group."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose(overrides=[f"+{group}={card}"])
    return OmegaConf.to_container(config, resolve=True)[group]


def targets(value: Any) -> set[str]:
    if isinstance(value, dict):
        inner = {target for item in value.values() for target in targets(item)}
        return inner | ({value["_target_"]} if is_node(value) else set())
    return {target for item in value for target in targets(item)} if isinstance(value, list) else set()


def test_cards_are_found() -> None:
    assert len(CARDS) > 10


@pytest.mark.parametrize(("group", "card"), CARDS, ids=lambda name: str(name))
def test_each_card_fits_its_target(group: str, card: str) -> None:
    check(composed(group, card), group)


@pytest.mark.parametrize(("group", "card"), CARDS, ids=lambda name: str(name))
def test_each_card_is_short_and_names_a_target(group: str, card: str) -> None:
    lines = (conf_dir() / group / f"{card}.yaml").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip() and not line.lstrip().startswith("#")]) <= 25
    assert is_node(composed(group, card)) or card in ("none", "own")


@pytest.mark.parametrize(("group", "card"), CARDS, ids=lambda name: str(name))
def test_signatures_read_from_text_are_those_of_the_imported_target(group: str, card: str) -> None:
    for target in targets(composed(group, card)):
        assert_signature_is_that_of_the_import(target)


@cache
def assert_signature_is_that_of_the_import(target: str) -> None:
    module, _, name = target.rpartition(".")
    parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    found = signature(target)
    assert found is not None
    assert list(found.parameters) == list(named)
    assert {name: item.required for name, item in found.parameters.items()} == {
        name: item.default is item.empty for name, item in named.items()
    }


@pytest.mark.parametrize("root", roots())
def test_each_root_composes(root: str) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose(root)
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    check({name: value for name, value in plain.items() if value != "???"})


def test_no_card_holds_a_value_that_only_this_machine_has() -> None:
    for card in Path(conf_dir()).rglob("*.yaml"):
        text = card.read_text(encoding="utf-8")
        assert not any(line.split("#")[0].strip().endswith(": /") or ": /" in line for line in text.splitlines()), card


EXPERIMENTS = groups(conf_dir())["experiment"]


@pytest.mark.parametrize("card", EXPERIMENTS)
def test_each_experiment_says_what_it_is_for_and_fits(card: str) -> None:
    from animeid.config.compose import compose as composed_request

    header = (conf_dir() / "experiment" / f"{card}.yaml").read_text(encoding="utf-8").splitlines()
    comments = [line for line in header[1:] if line.startswith("# ")]
    assert len(comments) >= 2
    assert any(line.startswith("# Hardware: ") for line in comments)
    plain = composed_request("train", [])
    assert composed_request("train", [f"experiment={card}"]) != plain


@pytest.mark.slow
@pytest.mark.parametrize("card", EXPERIMENTS)
def test_each_experiment_can_be_made_small(card: str) -> None:
    from animeid.config.compose import compose as composed_request

    full, small = (composed_request("train", [f"experiment={card}", *more]) for more in ([], ["scale=small"]))
    changed = ("model", "data", "optimizer")
    assert small["model"]["name"] == "resnet10t"
    assert (small["data"]["image_size"], small["data"]["batch_size"], small["optimizer"]["lr"]) == (64, "auto", "auto")
    assert {key: value for key, value in small.items() if key not in changed} == {
        key: value for key, value in full.items() if key not in changed
    }


VERSIONS: dict[str, dict[str, Any]] = {
    "v1": {
        "model.name": "efficientnet_b0",
        "loss._target_": "animeid.losses.cross_entropy.CrossEntropyLoss",
        "sampler._target_": "animeid.data.samplers.weighted.Weighted",
        "augment.ops.flip.p": 0.5,
        "augment.ops.rotate.limit": 10,
        "augment.ops.brightness.brightness": 0.2,
        "scheduler.monitor": "val/acc_micro",
        "scheduler.factor": 0.1,
        "scheduler.patience": 3,
    },
    "v2": {
        "model.name": "convnext_base.fb_in22k",
        "averaging._target_": "animeid.engine.averaging.swa.Swa",
        "averaging.start_epoch": 20,
        "averaging.every_epochs": 2,
        "averaging.lr": 1e-5,
        "averaging.anneal_epochs": 5,
        "mixing.mixup_alpha": 0.2,
        "mixing.switch_probability": 0.5,
        "loss.label_smoothing": 0.1,
        "trainer.precision": "auto",
        "tta": None,
        "data.folds": None,
    },
    "v2_1": {
        "averaging.start_epoch": 20,
        "data.folds": 3,
        "callbacks.patience": 5,
        "callbacks.min_delta": 1e-4,
        "tta.scales": [0.9, 1.0, 1.1],
        "optimizer.lr": 1e-4,
        "optimizer.weight_decay": 1e-2,
        "optimizer.betas": [0.9, 0.999],
        "trainer.gradient_clip_val": 5.0,
    },
    "v3": {
        "model.name": "tf_efficientnetv2_b2",
        "loss.beta": 0.9999,
        "loss.gamma": 2.0,
        "sampler._target_": "animeid.data.samplers.dynamic.Dynamic",
        "optimizer.lr": 1e-3,
        "scheduler.pct_start": 0.1,
        "scheduler.div_factor": 25.0,
        "scheduler.final_div_factor": 1000.0,
        "data.fold": "all",
    },
    "v4": {
        "sampler._target_": "animeid.data.samplers.class_aware.ClassAware",
        "mixing.mixup_alpha": 0.2,
        "mixing.cutmix_alpha": 1.0,
        "deep_supervision.weights": [1.0, 0.3, 0.3, 0.3],
        "trainer.accumulate_grad_batches": 4,
        "averaging._target_": "animeid.engine.averaging.ema.Ema",
    },
    "character_b0": {
        "head.dropout": 0.2,
        "optimizer.lr": 1e-4,
        "data.batch_size": 32,
        "trainer.max_epochs": 50,
        "scheduler.cycle_epochs": 10,
        "callbacks.patience": 10,
    },
    "character_mobilenet": {
        "model.name": "mobilenetv2_100",
        "optimizer._target_": "animeid.optim.optimizers.Adam",
        "optimizer.weight_decay": 1e-4,
        "data.batch_size": 32,
        "trainer.max_epochs": 100,
        "callbacks.patience": 10,
    },
    "four_models": {
        "optimizer.lr": 8e-4,
        "optimizer.weight_decay": 3e-4,
        "mixing.mixup_alpha": 0.4,
        "loss.label_smoothing": 0.08,
    },
}


@pytest.mark.parametrize("card", VERSIONS)
def test_each_version_is_the_recipe_that_it_names(card: str) -> None:
    from animeid.config.compose import compose as composed_request

    request = composed_request("train", [f"experiment={card}"])
    for key, expected in VERSIONS[card].items():
        value: Any = request
        for name in key.split("."):
            value = value[name]
        assert value == expected, key


def rates(card: str, epochs: int) -> Any:
    """The learning rate of each of ten steps an epoch."""
    from animeid.config import gateway
    from animeid.config.compose import compose as composed_request

    request = composed_request("train", [f"experiment={card}"])
    schedule = gateway.build(request["scheduler"], "scheduler")
    return schedule.trace(lr=request["optimizer"]["lr"], total_steps=10 * epochs, steps_per_epoch=10)


def test_the_rates_of_the_versions_are_those_of_their_recipes() -> None:
    two = rates("v2", 30)
    assert two.argmax() in (19, 20, 21)
    assert two[-1] == pytest.approx(1e-7, abs=5e-8)
    assert rates("v4", 30).argmax() in (19, 20, 21)
    three = rates("v3", 30)
    assert three[0] == pytest.approx(1e-3 / 25)
    assert three.max() == pytest.approx(1e-3, rel=1e-2)
    assert three[-1] == pytest.approx(1e-3 / 25 / 1000, rel=0.2)
    restarts = rates("character_b0", 50)
    assert restarts[[0, 100, 400]] == pytest.approx(1e-4)
    assert restarts.min() == pytest.approx(2e-6, rel=0.1)


@pytest.mark.parametrize("card", VERSIONS)
def test_what_a_card_says_to_expect_can_be_asked_for(card: str) -> None:
    from animeid.assembly.planning import plan_for
    from animeid.config.compose import compose as composed_request

    text = (conf_dir() / "experiment" / f"{card}.yaml").read_text(encoding="utf-8")
    words = text.split("# Expected: with ")[1].split(" test f1_macro")[0].split()
    assert "scale=small" in words
    plan = plan_for(composed_request("train", [f"experiment={card}", *words]), 400, "cpu")
    assert f"model.name={plan['model']['name']}" in words
