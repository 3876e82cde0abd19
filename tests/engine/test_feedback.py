"""Feedback callbacks own their state: what a checkpoint has of it comes back, and losses of one's own are told."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from torch import Tensor

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.engine import callbacks
from animeid.engine.callbacks.confidence import FIT_SO_FAR, ConfidenceFeedback
from animeid.engine.callbacks.contract import Feedback
from animeid.engine.callbacks.shown_prior import SHOWN, ShownPrior
from animeid.engine.trainer import quieten
from animeid.losses.functional import cross_entropy
from animeid.types import Batch, ModelOutput
from tests.small_runs import QUICK, quiet_trainer

RUN = (*QUICK, "data.batch_size=4", "trainer.precision=32-true", "trainer.max_epochs=3")
ALL = (
    "sampler=difficulty",
    "augment=adaptive",
    "augment.tolerated=0",
    "loss=online_class_balance",
    "head=arcface",
    "feature_mixing=mixstyle",
)
"""Everything that is told anything."""


def built(prepared: Prepared, *overrides: str) -> Components:
    seed_everything(1, verbose=False)
    return build(make_plan(compose("train", [*RUN, *overrides]), prepared, "cpu"), prepared)


def fit(run: Components, *more: Callback, epochs: int = 3, ckpt_path: Path | None = None) -> Trainer:
    quieten()
    trainer = quiet_trainer(max_epochs=epochs, callbacks=[*run.feedback, *more], num_sanity_val_steps=0)
    trainer.fit(run.module, datamodule=run.data, ckpt_path=ckpt_path, weights_only=True)
    return trainer


class Saved(Callback):
    """Writes what a run is like after the first batch of the second epoch, and as it begins or goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        trainer.save_checkpoint(self.folder / "begun.ckpt")

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if (trainer.current_epoch, trainer.fit_loop.batch_idx) == (1, 0):
            trainer.save_checkpoint(self.folder / "middle.ckpt")
            trainer.save_checkpoint(self.folder / "weights.ckpt", weights_only=True)


def read(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def feedback_classes() -> set[type[Feedback]]:
    """Found in the room of callbacks."""
    for module in pkgutil.iter_modules(callbacks.__path__):
        importlib.import_module(f"{callbacks.__name__}.{module.name}")
    found, todo = set(), [Feedback]
    while todo:
        todo += (own := todo.pop().__subclasses__())
        found |= {one for one in own if one.__module__.startswith(callbacks.__name__)}
    return found


def test_everything_is_told_and_comes_back_from_a_checkpoint(prepared: Prepared, tmp_path: Path) -> None:
    straight = built(prepared, *ALL)
    told = {type(callback) for callback in straight.feedback}
    assert told == feedback_classes() - {ShownPrior}, "a new one belongs here"
    for folder in ("straight", "resumed"):
        (tmp_path / folder).mkdir()
    fit(straight, Saved(tmp_path / "straight"))
    middle, weights = (read(tmp_path / "straight" / f"{name}.ckpt") for name in ("middle", "weights"))
    other = built(prepared, *ALL)
    other.data.resume_at(1, 1)
    fit(other, Saved(tmp_path / "resumed"), ckpt_path=tmp_path / "straight" / "middle.ckpt")
    begun = read(tmp_path / "resumed" / "begun.ckpt")
    assert torch.isfinite(torch.tensor(middle["CharacterDataModule"]["sampler"]["values"])).any()
    assert sum(middle[FIT_SO_FAR]["fitted"]["pictures"]) == 4, "the batch that was made, of the epoch under way"
    assert not torch.equal(middle["state_dict"]["loss.weight"], torch.ones(3))
    for key in (FIT_SO_FAR, "CharacterDataModule", "position"):
        assert repr(middle[key]) == repr(begun[key]), key  # a NaN is not equal to itself
    assert torch.equal(middle[SHOWN], begun[SHOWN])
    assert torch.equal(middle["state_dict"]["loss.weight"], begun["state_dict"]["loss.weight"])
    assert middle[FIT_SO_FAR] == weights[FIT_SO_FAR]
    assert torch.equal(middle[SHOWN], weights[SHOWN]), "weights alone say what they were shown, too"
    assert repr(straight.data.state_dict()) == repr(other.data.state_dict())
    state = other.module.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in straight.module.state_dict().items())


def test_what_was_shown_is_kept_where_nothing_is_trained(prepared: Prepared, tmp_path: Path) -> None:
    run = built(prepared)
    shown = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    quieten()
    trainer = Trainer(accelerator="cpu", max_epochs=0, callbacks=[ShownPrior(shown)], logger=False)
    trainer.fit(run.module, datamodule=run.data)
    trainer.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
    assert torch.equal(read(tmp_path / "best.ckpt")[SHOWN], shown)
    other = ShownPrior()
    other.on_load_checkpoint(trainer, run.module, read(tmp_path / "best.ckpt"))
    assert torch.equal(other.shown, shown)  # type: ignore[arg-type]


def test_a_checkpoint_before_there_was_any_feedback_changes_nothing() -> None:
    class Nobody:
        def follow(self, fitted: Tensor, held_out: Tensor) -> None: ...

    found = ConfidenceFeedback(Nobody(), 2)
    before = found.tracker.state()
    found.on_load_checkpoint(None, None, {})  # type: ignore[arg-type]
    assert found.tracker.state() == before


class OwnLoss:
    """A loss of somebody's own, a plain callable with the optional methods."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __call__(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"own": cross_entropy(output.logits, batch["target"])}

    def set_progress(self, epoch: int, step: int, total_steps: int, epochs: int) -> None:
        self.told.append(("progress", epoch, step, total_steps, epochs))

    def set_prior(self, prior: Tensor | None) -> None:
        self.told.append(("prior", prior is None))

    def observe_recall(self, recall: Tensor) -> None:
        self.told.append(("recall", tuple(recall.shape)))


@pytest.mark.parametrize("sampler", ["natural", "dynamic"])
def test_a_loss_of_ones_own_is_told(sampler: str, prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    from animeid.assembly import module as assembly
    from animeid.config import gateway

    own, original = OwnLoss(), gateway.build
    monkeypatch.setattr(
        assembly.gateway, "build", lambda card, key, **more: own if key == "loss" else original(card, key, **more)
    )
    run = built(prepared, f"sampler={sampler}", "trainer.max_epochs=2")
    steps = run.module.optimisation.steps_per_epoch
    fit(run, epochs=2)
    assert {one for one in own.told if one[0] == "progress"} == {
        ("progress", epoch, epoch * steps, 2 * steps, 2) for epoch in range(2)
    }
    assert [one for one in own.told if one[0] == "recall"] == [("recall", (3,))] * 2
    priors = [is_run for what, *rest in own.told if what == "prior" for is_run in rest]
    assert priors == ([] if sampler == "natural" else [False, False, True, False, True, True])


def test_validation_is_asked_for_where_something_follows_it(prepared: Prepared) -> None:
    needs = {callback.needs_validation for callback in built(prepared, *ALL).feedback}
    assert needs == {
        None,
        "this loss follows the recall of validation",
        "this augmentation follows the confidence of validation",
    }


@pytest.mark.parametrize(("augment", "passes"), [("none", 0), ("adaptive", 1)])
def test_a_head_with_a_margin_answers_a_second_time_only_for_who_reads_it(
    augment: str, passes: int, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = built(prepared, "head=arcface", f"augment={augment}")
    model, plain = run.module.model, []
    answer = model.plain_logits
    monkeypatch.setattr(model, "plain_logits", lambda output: plain.append(None) or answer(output))
    trainer = fit(run, epochs=1)
    assert len(plain) == passes * trainer.global_step
