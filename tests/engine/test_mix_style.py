"""MixStyle in training: acts on training batches alone, draws by the batch, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from lightning.pytorch import seed_everything

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.engine.callbacks import mix_style as room
from animeid.engine.callbacks.mix_style import MixStyle
from animeid.engine.trainer import quieten
from animeid.models.mix_style import StyleMix, mix_style
from tests.small_runs import QUICK, quiet_trainer

RUN = (*QUICK, "data.batch_size=5", "augment=none", "feature_mixing=mixstyle", "head.dropout=0")


def built(prepared: Prepared, *arguments: str) -> Components:
    quieten()
    seed_everything(1, verbose=False)
    return build(make_plan(compose("train", [*RUN, *arguments]), prepared, "cpu"), prepared)


class Seen:
    """What `mix_style` was called with, and whether the network was training."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mixes: list[StyleMix] = []
        monkeypatch.setattr(room, "mix_style", self)

    def __call__(self, features: torch.Tensor, mix: StyleMix) -> torch.Tensor:
        self.mixes.append(mix)
        return mix_style(features, mix)


def fit(run: Components, **settings: Any) -> None:
    quiet_trainer(callbacks=[*run.feedback], **settings).fit(run.module, datamodule=run.data)


def test_it_acts_in_training_alone_and_is_gone_after(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    run = built(prepared, "averaging=swa", "averaging.start_epoch=0")
    plain = built(prepared, "feature_mixing=none")
    assert run.module.state_dict().keys() == plain.module.state_dict().keys()
    assert run.module.averager is not None
    quiet_trainer(callbacks=[*run.feedback, run.module.averager]).fit(run.module, datamodule=run.data)
    # Two batches, two stages; neither validation nor the pass for the average's batch norm.
    assert [len(mix.partner) for mix in seen.mixes] == [5, 5, 4, 4]
    assert all(not layer._forward_hooks for layer in run.module.model.modules())


def drawn(prepared: Prepared, seen: Seen, *arguments: str) -> list[StyleMix]:
    seen.mixes = []
    fit(built(prepared, *arguments), limit_val_batches=0, max_epochs=3)
    return seen.mixes


def same(first: Sequence[StyleMix], second: Sequence[StyleMix]) -> bool:
    return all(torch.equal(one.share, other.share) for one, other in zip(first, second, strict=True))


def test_what_is_drawn_follows_seed_and_batch(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    first, again, other = (drawn(prepared, seen, f"seed={seed}") for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)
    assert 0 < sum(bool(mix.mixes) for mix in first) < len(first) == 12
    always = drawn(prepared, seen, "feature_mixing.probability=1")
    assert all(bool(mix.mixes) for mix in always)


def test_it_changes_training(prepared: Prepared) -> None:
    weights = []
    for chance in (0, 1):
        run = built(prepared, f"feature_mixing.probability={chance}")
        fit(run, limit_val_batches=0)
        weights.append(next(run.module.model.parameters()).detach().clone())
    none = built(prepared, "feature_mixing=none")
    fit(none, limit_val_batches=0)
    assert torch.equal(weights[0], next(none.module.model.parameters())), "never mixed is as without"
    assert not torch.equal(weights[0], weights[1])


def test_across_styles_takes_partners_of_the_batchs_styles(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    styles: list[torch.Tensor] = []
    original = MixStyle.on_train_batch_start

    def start(self: MixStyle, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        original(self, trainer, pl_module, batch, batch_idx)
        assert self.mixes is not None
        own = batch["style"]
        styles.append(own)
        assert all((own != own[mix.partner]).all() for mix in self.mixes) or len(own.unique()) == 1

    monkeypatch.setattr(MixStyle, "on_train_batch_start", start)
    fit(built(prepared, "feature_mixing.across_styles=true"), limit_val_batches=0)
    assert torch.cat(styles).unique().tolist() == [0, 1]
