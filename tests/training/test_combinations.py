"""Cards of different groups work together: every pair trains; cards that are added later join by themselves."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
import torch
from lightning.pytorch import seed_everything

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.data.prepare import Prepared
from animeid.engine.trainer import quieten
from tests.small_runs import QUICK, quiet_trainer

pytestmark = pytest.mark.slow

CARDS = groups(conf_dir())
ALWAYS = ("sampler", "loss", "mixing", "head")
WHEN_THERE = ("averaging", "deep_supervision")
CROSSED = [*ALWAYS, *(group for group in WHEN_THERE if CARDS[group] != ["none"])]
Card = tuple[str, str]


def pairs(cards: Iterable[Card]) -> set[frozenset[Card]]:
    """All pairs of cards of different groups."""
    return {frozenset(pair) for pair in itertools.combinations(cards, 2) if pair[0][0] != pair[1][0]}


EVERY_PAIR = pairs((group, card) for group in CROSSED for card in CARDS[group])


def covering() -> list[dict[str, str]]:
    """Few runs, one card of each group, in which every pair occurs: a run is begun with a pair that is missing, and
    each further group takes the card that adds most pairs."""
    missing, runs = set(EVERY_PAIR), []
    while missing:
        run = dict(sorted(min(missing, key=sorted)))
        for group in CROSSED:
            if group not in run:
                run[group] = max(
                    CARDS[group], key=lambda card, group=group: len(pairs([*run.items(), (group, card)]) & missing)
                )
        missing -= pairs(run.items())
        runs.append(run)
    return runs


RUNS = covering()
RUN = (*QUICK, "data.batch_size=5", "augment=none", "trainer.max_epochs=1")


def test_every_group_has_something_to_combine() -> None:
    assert all(len(CARDS[group]) > 1 for group in ALWAYS)


def test_no_pair_is_left_out() -> None:
    assert set.union(*(pairs(run.items()) for run in RUNS)) == EVERY_PAIR


@pytest.mark.parametrize("cards", RUNS, ids=lambda cards: "-".join(cards[group] for group in CROSSED))
def test_every_pair_trains_two_steps(prepared: Prepared, cards: dict[str, str]) -> None:
    quieten()
    seed_everything(1, verbose=False)
    run = build(
        make_plan(compose("train", [*RUN, *(f"{group}={card}" for group, card in cards.items())]), prepared, "cpu"),
        prepared,
    )
    before = {name: value.detach().clone() for name, value in run.module.model.named_parameters()}
    averaging = [run.module.averager] if run.module.averager else []
    trainer = quiet_trainer(limit_val_batches=0, callbacks=[*run.feedback, *averaging])
    trainer.fit(run.module, datamodule=run.data)
    assert trainer.global_step == 2
    assert torch.isfinite(trainer.callback_metrics["train/loss_epoch"])
    after = dict(run.module.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
