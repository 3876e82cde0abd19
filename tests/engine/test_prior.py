"""The loss of an epoch corrects for what the sampler shows in it, and validation judges all epochs alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.engine.callbacks.shown_prior import SHOWN
from animeid.engine.module import CharacterModule
from animeid.engine.trainer import quieten
from tests.small_runs import QUICK, quiet_trainer

RUN = (*QUICK, "data.batch_size=4", "loss=balanced_softmax", "trainer.precision=32-true")
EPOCHS = 3


def built(prepared: Prepared, *overrides: str) -> Components:
    seed_everything(1, verbose=False)
    request = compose("train", [*RUN, f"trainer.max_epochs={EPOCHS}", *overrides])
    return build(make_plan(request, prepared, "cpu"), prepared)


def trainer(run: Components, **settings) -> Trainer:
    quieten()
    return quiet_trainer(**{"max_epochs": EPOCHS, "callbacks": [*run.feedback], **settings})


@pytest.fixture
def offsets(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[int, np.ndarray]]]:
    """Epoch and prior by which the loss corrects, of every step that is made from here on."""
    found: dict[str, list[tuple[int, np.ndarray]]] = {"training": [], "validation": []}
    for name, seen in found.items():
        original = getattr(CharacterModule, f"{name}_step")

        def step(self, batch, batch_idx, original=original, seen=seen):
            seen.append((self.current_epoch, self.loss.offset.double().exp().numpy()))
            return original(self, batch, batch_idx)

        monkeypatch.setattr(CharacterModule, f"{name}_step", step)
    return found


@pytest.mark.parametrize("views", ["none", "supervised"])
@pytest.mark.parametrize("sampler", ["deferred", "dynamic"])
def test_each_epoch_has_its_own(sampler: str, views: str, prepared: Prepared, offsets) -> None:
    run = built(prepared, f"sampler={sampler}", f"contrastive={views}")
    trainer(run, num_sanity_val_steps=0).fit(run.module, datamodule=run.data)
    assert {epoch for epoch, _ in offsets["training"]} == set(range(EPOCHS))
    for epoch, prior in offsets["training"]:
        np.testing.assert_allclose(prior, run.data.sampler.prior_of(epoch), rtol=1e-5)
    for _, prior in offsets["validation"]:
        np.testing.assert_allclose(prior, run.stats.prior, rtol=1e-5)
    np.testing.assert_allclose(run.module.loss.offset.exp(), run.stats.prior, rtol=1e-5)


def test_difficulty_has_that_of_its_weights_also_after_a_resume(prepared: Prepared, offsets, tmp_path) -> None:
    choices = ("sampler=difficulty", "sampler.momentum=0")
    straight = built(prepared, *choices)
    fitting = trainer(straight, num_sanity_val_steps=0)
    keep_middle(straight.module, fitting, tmp_path / "middle.ckpt")
    fitting.fit(straight.module, datamodule=straight.data)
    whole = list(offsets["training"])
    assert len({prior.tobytes() for _, prior in whole}) == EPOCHS
    np.testing.assert_allclose(whole[-1][1], straight.data.sampler.prior_of(EPOCHS - 1), rtol=1e-5)
    offsets["training"].clear()

    other = built(prepared, *choices)
    other.data.resume_at(1, 1)
    trainer(other, num_sanity_val_steps=0).fit(other.module, datamodule=other.data, ckpt_path=tmp_path / "middle.ckpt")
    rest = whole[len(whole) - len(offsets["training"]) :]
    assert len(rest) == 2 * len(whole) // EPOCHS - 1
    for (epoch, prior), (again, found) in zip(rest, offsets["training"], strict=True):
        assert epoch == again
        np.testing.assert_array_equal(prior, found)


def keep_middle(module: CharacterModule, fitting: Trainer, path) -> None:
    """Has the state after the first batch of the second epoch written."""
    original = module.on_train_batch_start

    def start(batch, batch_idx):
        original(batch, batch_idx)
        if (fitting.current_epoch, batch_idx) == (1, 1):
            fitting.save_checkpoint(path)

    module.on_train_batch_start = start  # type: ignore[method-assign]


def test_a_checkpoint_says_what_its_epoch_showed(prepared: Prepared, tmp_path) -> None:
    for sampler, epochs_differ in (("dynamic", True), ("weighted", False)):
        run = built(prepared, f"sampler={sampler}")
        fitting = trainer(run, num_sanity_val_steps=0)
        fitting.fit(run.module, datamodule=run.data)
        fitting.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
        shown = torch.load(tmp_path / "best.ckpt", weights_only=True).get(SHOWN)
        assert (shown is not None) == epochs_differ
        if epochs_differ:
            np.testing.assert_allclose(shown, run.data.sampler.prior_of(EPOCHS - 1))


def test_a_run_that_has_no_epoch_left_keeps_what_its_last_one_showed(prepared: Prepared, tmp_path) -> None:
    """Its best checkpoint is written again if it was lost."""
    run = built(prepared, "sampler=dynamic")
    fitting = trainer(run, num_sanity_val_steps=0)
    fitting.fit(run.module, datamodule=run.data)
    fitting.save_checkpoint(tmp_path / "last.ckpt")
    other = built(prepared, "sampler=dynamic")
    again = trainer(other, num_sanity_val_steps=0)
    again.fit(other.module, datamodule=other.data, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    again.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
    found = torch.load(tmp_path / "best.ckpt", weights_only=True)[SHOWN]
    assert torch.equal(found, torch.from_numpy(run.data.sampler.prior_of(EPOCHS - 1)))
