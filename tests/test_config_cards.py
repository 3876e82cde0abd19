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
from animeid.config.signatures import signature

WITHOUT_TARGET = {"experiment", "debug"}
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
    assert is_node(composed(group, card)) or card == "none"


def all_targets() -> list[str]:
    return sorted({target for group, card in CARDS for target in targets(composed(group, card))})


@pytest.mark.parametrize("target", all_targets())
def test_signatures_read_from_text_are_those_of_the_imported_target(target: str) -> None:
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


@pytest.mark.parametrize("root", ["train", "evaluate", "predict", "dashboard", "doctor"])
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
