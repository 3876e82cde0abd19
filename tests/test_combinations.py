"""Cards of different groups work together: every pair trains; cards that are added later join by themselves."""

from __future__ import annotations

import itertools

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from animeid.build import build
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.data.prepare import Prepared
from animeid.engine.trainer import quieten
from animeid.plan import make_plan

CARDS = groups(conf_dir())
ALWAYS = ("sampler", "loss", "mixing", "head")
WHEN_THERE = ("averaging", "deep_supervision")
CROSSED = [*ALWAYS, *(group for group in WHEN_THERE if CARDS[group] != ["none"])]
PAIRS = [
    (f"{left}={a}", f"{right}={b}")
    for left, right in itertools.combinations(CROSSED, 2)
    for a, b in itertools.product(CARDS[left], CARDS[right])
]
QUICK = (
    "model=small",
    "model.name=test_resnet",
    "model.pretrained=false",
    "data.image_size=32",
    "data.num_workers=0",
    "data.batch_size=5",
    "augment=none",
    "trainer.max_epochs=1",
)


def test_every_group_has_something_to_combine() -> None:
    assert all(len(CARDS[group]) > 1 for group in ALWAYS)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_pair_trains_two_steps(prepared: Prepared, pair: tuple[str, str]) -> None:
    quieten()
    seed_everything(1, verbose=False)
    run = build(make_plan(compose("train", [*QUICK, *pair]), prepared, "cpu"), prepared)
    before = {name: value.detach().clone() for name, value in run.module.model.named_parameters()}
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[run.module.averager] if run.module.averager else [],
    )
    trainer.fit(run.module, datamodule=run.data)
    assert trainer.global_step == 2
    assert torch.isfinite(trainer.callback_metrics["train/loss_epoch"])
    after = dict(run.module.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
