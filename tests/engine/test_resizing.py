"""Pictures that grow over the epochs."""

from __future__ import annotations

import pytest
import torch

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.engine.resizing import ProgressiveResizing
from animeid.engine.trainer import quieten
from animeid.errors import InputError
from tests.small_runs import QUICK, quiet_trainer


def test_sides_grow_evenly_to_their_full_size() -> None:
    resizing = ProgressiveResizing(start=0.5, until=0.5, multiple=8, epochs=10)
    assert [resizing.side(224, epoch) for epoch in range(7)] == [112, 136, 160, 176, 200, 224, 224]
    assert [resizing.side(60, epoch) for epoch in (0, 4, 5)] == [32, 56, 60], "never beyond the full side"
    assert ProgressiveResizing(until=0.0, epochs=3).side(64, 0) == 64
    assert ProgressiveResizing(start=0.01, epochs=3).side(64, 0) == 8


def test_pictures_are_resized_with_antialiasing() -> None:
    image = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    resizing = ProgressiveResizing(start=0.5, until=1.0, epochs=2)
    expected = torch.nn.functional.interpolate(image, (16, 24), mode="bilinear", antialias=True)
    torch.testing.assert_close(resizing(image, 0), expected)
    assert resizing(image, 2) is image


RUN = (*QUICK, "data.image_size=64", "data.batch_size=3", "resizing=progressive")


def test_training_alone_sees_small_pictures(prepared: Prepared) -> None:
    quieten()
    plan = make_plan(compose("train", [*RUN, "trainer.max_epochs=4", "mixing=cutmix"]), prepared, "cpu")
    assert plan["resizing"]["epochs"] == 4
    run, sizes = build(plan, prepared), []
    run.module.model.register_forward_pre_hook(
        lambda module, inputs: sizes.append((module.training, run.module.current_epoch, inputs[0].shape[2]))
    )
    trainer = quiet_trainer(max_epochs=4, num_sanity_val_steps=0)
    trainer.fit(run.module, datamodule=run.data)
    trained = {epoch: size for training, epoch, size in sizes if training}
    assert trained == {0: 32, 1: 40, 2: 56, 3: 64}
    assert {size for training, _, size in sizes if not training} == {64}


def test_a_network_of_one_size_is_refused(prepared: Prepared) -> None:
    arguments = [*QUICK, "model.name=resmlp_12_224", "data.image_size=224", "resizing=progressive"]
    with pytest.raises(InputError, match="resizing=none"):
        build(make_plan(compose("train", arguments), prepared, "cpu"), prepared)
