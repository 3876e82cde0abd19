"""A plan cannot be written to, is what `config.yaml` holds, and is made and built the same way each time."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import seed_everything

from animeid.assembly.plan import FinalPlan, Plan, final, label_stats, processes_of, whole
from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build, rebuild
from animeid.config.compose import compose
from animeid.data.cache.segments import CacheUnusable
from animeid.data.prepare import Prepared
from animeid.system.files import read_yaml, write_yaml
from tests.small_runs import QUICK

NEWER = {"data": ("cache",), "trainer": ("num_nodes", "strategy"), "facts": ("trainable",)}
"""Keys that runs of versions before lack."""

PARTS = ("mixing=mixup_cutmix", "deep_supervision=taps", "averaging=swa", "augment=strong", "data.image_size=[32,40]")


def request(*overrides: str) -> dict[str, Any]:
    return compose("train", [*QUICK, "data.batch_size=4", *overrides])


def built(prepared: Prepared, *overrides: str) -> Components:
    seed_everything(3, verbose=False)
    return build(make_plan(request(*overrides), prepared, "cpu"), prepared)


@pytest.fixture(scope="module")
def plan(prepared: Prepared) -> FinalPlan:
    return built(prepared, *PARTS).plan


def older(config: dict[str, Any]) -> dict[str, Any]:
    """As a version before would have written it."""
    old = deepcopy(config)
    for section, names in NEWER.items():
        for name in names:
            del old[section][name]
    for name in ("stage", "tta", "recipe", "contrastive"):
        del old[name]
    return old


def test_nothing_in_a_plan_can_be_written_to(plan: FinalPlan) -> None:
    for owner, name in ((plan, "cards"), (plan, "trainer"), (plan.trainer, "precision"), (plan.facts, "prior")):
        with pytest.raises(FrozenInstanceError):
            setattr(owner, name, None)
    inner = (plan, plan.cards, plan["loss"], plan["augment"]["ops"], plan["facts"]["weights"], plan.facts.weights)
    for mapping in inner:
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["new"] = 1
    assert isinstance(plan["data"]["image_size"], tuple)
    assert isinstance(plan.facts.counts, tuple)


def test_plain_values_of_a_plan_are_ones_own(plan: FinalPlan) -> None:
    before = plan.as_dict()
    changed = plan.as_dict()
    changed["loss"]["_target_"] = "another"
    changed["facts"]["counts"].append(1)
    assert plan.as_dict() == before


def test_other_values_make_another_plan(plan: FinalPlan) -> None:
    other = plan.having(data={"num_workers": 7}, optimizer={"lr": 0.5})
    assert (other.data.num_workers, other["optimizer"]["lr"]) == (7, 0.5)
    assert (plan.data.num_workers, plan["optimizer"]["lr"]) != (7, 0.5)
    assert other.facts == plan.facts
    assert list(other["data"]) == list(plan["data"])


def test_a_plan_is_what_its_file_holds(plan: FinalPlan, tmp_path: Path) -> None:
    chosen = plan.with_choices([{"key": "loss", "value": "focal", "values": {}, "reason": "yours"}])
    for name, own in (("plain", plan), ("chosen", chosen)):
        first, second = tmp_path / f"{name}.yaml", tmp_path / f"{name} again.yaml"
        write_yaml(first, own.as_dict())
        read = FinalPlan.read(first)
        assert read == own
        write_yaml(second, read.as_dict())
        assert second.read_bytes() == first.read_bytes()
    assert list(read_yaml(first))[-2:] == ["facts", "choices"]


def test_plans_of_versions_before_are_read(plan: FinalPlan, prepared: Prepared, tmp_path: Path) -> None:
    config = older(plan.as_dict())
    write_yaml(tmp_path / "old.yaml", config)
    old = FinalPlan.read(tmp_path / "old.yaml")
    assert old.as_dict() == config
    assert (old.data.cache, old.trainer.num_nodes, old.trainer.strategy, old.facts.trainable) == ("off", 1, "ddp", None)
    assert processes_of(old) == 1
    assert label_stats(old, prepared.labels).counts.tolist() == [5, 2, 2]
    assert list(rebuild(old, prepared, from_scratch=False).plan) == list(config)


def test_making_a_plan_changes_no_request(prepared: Prepared) -> None:
    asked = request(*PARTS)
    before = deepcopy(asked)
    first, second = (make_plan(asked, prepared, "cpu") for _ in range(2))
    assert asked == before
    assert first == second
    assert list(first) == list(asked)


def test_building_changes_no_plan(prepared: Prepared) -> None:
    plan = make_plan(request(*PARTS), prepared, "cpu")
    before = plan.as_dict()
    first, second = build(plan, prepared).plan, build(plan, prepared).plan
    assert plan.as_dict() == before
    assert first == second
    assert (plan["optimizer"]["lr"], plan["averaging"]["lr"]) == ("auto", "auto")
    assert first["averaging"]["lr"] == pytest.approx(0.1 * first["optimizer"]["lr"])
    assert first.trainer.precision != "auto"


@pytest.mark.parametrize("overrides", [PARTS, ("loss=ldam_drw", "sampler=deferred", "freezing=last", "head=cosine")])
def test_a_plan_is_built_again_as_it_was_built(overrides: tuple[str, ...], prepared: Prepared) -> None:
    first = built(prepared, *overrides)
    seed_everything(3, verbose=False)
    second = rebuild(first.plan, prepared, from_scratch=True)
    states = [components.module.state_dict() for components in (first, second)]
    assert states[0].keys() == states[1].keys()
    assert [name for name, tensor in states[0].items() if not torch.equal(tensor, states[1][name])] == []
    assert second.plan == first.plan
    assert first.module.record == second.module.record
    assert torch.equal(first.stats.prior, second.stats.prior)
    batches = [next(iter(components.data.train_dataloader()))["image"] for components in (first, second)]
    assert torch.equal(*batches)


def test_a_cache_without_room_is_off(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CacheUnusable("no room")

    monkeypatch.setattr("animeid.assembly.data.open_cache", full)
    plan = make_plan(request("data.cache=auto"), prepared, "cpu")
    run = build(plan, prepared)
    assert (plan.data.cache, run.plan.data.cache) == ("auto", "off")
    assert run.notes[0] == "WARNING: every epoch decodes all pictures anew: no room"
    with pytest.raises(CacheUnusable):
        build(plan.having(data={"cache": "somewhere"}), prepared)


def test_what_is_not_filled_in_is_no_number(prepared: Prepared, plan: FinalPlan) -> None:
    assert whole(plan.trainer.devices) == 1
    asked = Plan.from_dict(request())
    with pytest.raises(TypeError, match="auto has not been filled in"):
        processes_of(asked)
    assert final(make_plan(request(), prepared, "cpu"), plan.facts).facts == plan.facts
