"""Every card of every group is found and built, and its part is tried; nobody has to list it here."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.data.prepare import Prepared
from animeid.engine.trainer import quieten
from tests.small_runs import QUICK

CARDS = groups(conf_dir())
RUN = (*QUICK, "data.batch_size=4")


def cards(group: str) -> list[str]:
    assert CARDS[group], f"no card in conf/{group}"
    return CARDS[group]


def built(prepared: Prepared, *overrides: str) -> Components:
    request = compose("train", [*RUN, *overrides])
    return build(make_plan(request, prepared, "cpu"), prepared)


def one_step(run: Components) -> torch.Tensor:
    """The loss of one training batch, after a step of the optimiser has been made with it."""
    quieten()
    batch = next(iter(run.data.train_dataloader()))
    module = run.module.train()
    configured = module.configure_optimizers()
    batch["image"] = module.normalise(batch["image"])
    batch = module.transforms(batch, 0)
    value = module.losses(module.model(batch["image"]), batch).mean()
    value.backward()
    configured["optimizer"].step()
    return value.detach()


@pytest.mark.parametrize(
    "override",
    [
        f"{group}={card}"
        for group in ("loss", "sampler", "mixing", "head", "deep_supervision", "augment", "optimizer", "scheduler")
        for card in cards(group)
    ],
)
def test_every_part_trains_a_step(prepared: Prepared, override: str) -> None:
    run = built(prepared, override)
    before = copy.deepcopy(run.module.model.state_dict())
    assert torch.isfinite(one_step(run))
    after = run.module.model.state_dict()
    assert any(not torch.equal(value, after[name]) for name, value in before.items() if "running" not in name)


@pytest.mark.parametrize("card", cards("model"))
def test_every_model_answers_pictures(prepared: Prepared, card: str) -> None:
    # The size of the pictures that every architecture takes, and a square of more than one stride.
    run = built(prepared, f"model={card}", "model.pretrained=false", "data.image_size=64")
    with torch.inference_mode():
        output = run.module.eval()(torch.zeros((2, 3, 64, 64), dtype=torch.uint8))
    assert output.logits.shape == (2, 3)
    assert output.embedding.shape == (2, run.module.model.backbone.num_features)
    assert run.plan["facts"]["weights"]["source"] == "random"


@pytest.mark.parametrize("group", ["trainer", "callbacks", "logger", "data"])
def test_every_other_card_is_built(group: str, tmp_path: Path) -> None:
    for card in cards(group):
        overrides = ["data.root=somewhere"] if card in {"folder", "shards"} else []
        node = compose("train", [f"{group}={card}", *overrides])[group]
        if node is not None:
            facts = {"save_dir": tmp_path} if group == "logger" else {}
            assert gateway.build(node, group, **facts) is not None


@pytest.mark.slow
def test_a_pair_of_every_loss_and_sampler_trains(prepared: Prepared) -> None:
    for loss in cards("loss"):
        for sampler in cards("sampler"):
            assert torch.isfinite(one_step(built(prepared, f"loss={loss}", f"sampler={sampler}")))


def test_the_prior_is_that_of_the_sampler(prepared: Prepared) -> None:
    natural, weighted = built(prepared), built(prepared, "sampler=weighted")
    assert natural.stats.prior.tolist() == pytest.approx([5 / 9, 2 / 9, 2 / 9])
    assert weighted.stats.prior.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert weighted.stats.counts.tolist() == [5, 2, 2]


def test_the_learning_rate_follows_the_weights_and_the_step(prepared: Prepared) -> None:
    alone = built(prepared)
    accumulated = built(prepared, "trainer.accumulate_grad_batches=4")
    assert accumulated.plan["optimizer"]["lr"] == pytest.approx(2 * alone.plan["optimizer"]["lr"], rel=0.05)
    assert built(prepared, "optimizer.lr=0.5").plan["optimizer"]["lr"] == 0.5


def test_sizes_need_not_be_square(prepared: Prepared) -> None:
    run = built(prepared, "data.image_size=[60,80]")
    assert next(iter(run.data.train_dataloader()))["image"].shape[1:] == (3, 60, 80)
    assert torch.isfinite(one_step(run))


@pytest.mark.parametrize("pictures, size", [(32 * 10, 32), (319, 16), (12, 4), (100_000, 32)])
def test_small_folders_get_small_batches(pictures: int, size: int) -> None:
    from animeid.assembly.planning import default_batch_size

    assert default_batch_size(pictures) == size
