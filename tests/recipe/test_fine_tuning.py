"""Rules of `recipe=auto` for published weights: what they are for, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from animeid.assembly.plan import Plan
from animeid.assembly.planning import plan_for
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.optim.optimizers import AdamW, default_learning_rate
from animeid.recipe import choose
from animeid.recipe.facts import Facts
from animeid.recipe.fine_tuning import FEW_STEPS, RATE, freezing, head_init, learning_rate
from animeid.recipe.weights import Beginning, beginning_of
from animeid.train import main as train
from tests.small_runs import QUICK, class_folders

PUBLISHED = Facts(np.array([500, 100]), 128, "cpu", False, has_val=True, is_published=True, has_new_head=True)
RANDOM = Facts(np.array([500, 100]), 128, "cpu", True, has_val=True)
LITE = "model=efficientnet_lite0"


def plan(*words: str) -> Plan:
    return plan_for(compose("train", ["recipe=none", LITE, *words]), 600, "cpu")


def test_published_weights_learn_faster_than_by_the_optimisers_own_rule() -> None:
    assert learning_rate(PUBLISHED, plan()).value == RATE > default_learning_rate(AdamW, True, 32)
    assert learning_rate(PUBLISHED, plan("data.batch_size=128")).value == 2 * RATE
    assert learning_rate(PUBLISHED, plan("data.batch_size=64", "trainer.accumulate_grad_batches=2")).value == 2 * RATE


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (RANDOM, ()),
        (PUBLISHED, ("optimizer=sgd",)),
        (PUBLISHED, ("model=vit_small",)),
        (Facts(np.array([9, 9]), 128, "cpu", False, has_val=True), ()),
    ],
)
def test_what_was_not_measured_keeps_its_rate(facts: Facts, words: tuple[str, ...]) -> None:
    assert learning_rate(facts, plan(*words)).value == "auto"


def test_a_new_head_is_fitted_where_it_can_be() -> None:
    assert head_init(PUBLISHED, plan()).value == head_init(PUBLISHED, plan("head=multi_stage")).value == "fitted"
    assert head_init(RANDOM, plan()).value == "none"
    for words in (("head=cosine",), ("head=fusion",), ("trainer=ddp", "trainer.devices=2")):
        assert head_init(PUBLISHED, plan(*words)).value == "none"


def test_statistics_stay_for_unseen_styles_in_short_trainings_on_small_pictures() -> None:
    unseen, small = replace(PUBLISHED, unseen_styles=True), plan("data.image_size=64")
    found = freezing(unseen, small, FEW_STEPS)
    assert found.overrides == ["freezing=batch_norms", "freezing.affine=True"]
    assert freezing(unseen, small, FEW_STEPS + 1).value == "none"
    assert freezing(unseen, plan("data.image_size=[64,96]"), 9).value == "none"
    assert freezing(PUBLISHED, small, 9).value == "none"
    assert freezing(replace(unseen, is_published=False), small, 9).value == "none"
    goes_on = replace(PUBLISHED, is_published=False, keeps_statistics=True)
    assert freezing(goes_on, plan(), 600).overrides == found.overrides, "a run that goes on keeps them too"
    assert freezing(unseen, plan("trainer.strategy=fsdp", "trainer.accelerator=gpu"), 9).value == "none"
    assert freezing(unseen, plan("model=vit_small", "data.image_size=64"), 9).value == "none"


def test_steps_are_those_of_the_whole_training(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "facts_of", lambda *_: replace(PUBLISHED, unseen_styles=True))

    def chosen(*words: str) -> dict[str, Any] | None:
        asked = compose("train", [LITE, "data.image_size=64", *words])
        return choose.choose(asked, prepared, "cpu").request["freezing"]

    keeps = compose("train", ["recipe=none", "freezing=batch_norms", "freezing.affine=true"])["freezing"]
    assert chosen("trainer.max_epochs=5") == keeps, "600 pictures make 19 steps an epoch"
    assert chosen("trainer.max_epochs=6") is None
    assert chosen("trainer.max_epochs=5", "freezing=none") is None
    assert chosen() is None
    monkeypatch.setattr(choose, "epochs_within", lambda *_: 3)
    assert chosen("budget=10min") == keeps


def test_a_head_that_comes_with_the_weights_stays() -> None:
    facts = Facts(np.array([9, 9]), 128, "cpu", False, has_val=True, is_published=True)
    assert head_init(facts, plan()).value == "none"


PROBE = (*QUICK, "logger=none", "test=false")


def test_the_beginning_is_told_from_the_run_that_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "pictures", {"a": 12, "b": 8})
    assert train([*PROBE, "data.root=pictures", "stage=probe", "run_id=probe"]) == 0
    config = tmp_path / "outputs/probe/config.yaml"

    def begun(*words: str) -> Beginning:
        return beginning_of(compose("train", ["recipe=none", "from_run=outputs/probe", *words]))

    assert begun() == Beginning(False), "random weights under a fitted head are no published ones"
    plan = yaml.safe_load(config.read_text())
    plan["facts"]["weights"]["source"] = "package"
    config.write_text(yaml.safe_dump(plan))
    assert begun() == Beginning(False, is_published=True)
    assert begun("from_run_parts=backbone") == Beginning(False, is_published=True, has_new_head=True)
    plan["stage"] = None
    config.write_text(yaml.safe_dump(plan))
    assert begun() == Beginning(False), "a network that was trained is its own"
