"""Fully sharded training, as far as it can be tried without a GPU."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn

from animeid.engine.sharding import blocks, check_sharded, shard
from animeid.errors import InputError


def request(**changes: Any) -> dict[str, Any]:
    trainer = {"strategy": "fsdp", "precision": "auto"} | changes.pop("trainer", {})
    return {"trainer": trainer, "averaging": None, "freezing": None, **changes}


@pytest.mark.parametrize(
    ("asked", "accelerator", "sentence"),
    [
        (request(), "cpu", "shards weights over GPUs, and this run computes on cpu"),
        (request(), "mps", "this run computes on mps"),
        (request(averaging={"decay": 0.9}), "cuda", "take averaging=none"),
        (request(freezing={"every": 1}), "cuda", "take freezing=none"),
        (request(trainer={"precision": "16-mixed"}), "cuda", "32-true or bf16-mixed"),
    ],
)
def test_what_cannot_be_had_is_refused(asked: dict[str, Any], accelerator: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_sharded(asked, accelerator)


def test_what_can_be_had_is_not() -> None:
    check_sharded(request(), "cuda")
    check_sharded(request(trainer={"strategy": "ddp"}, averaging={"decay": 0.9}), "cpu")


def test_batch_norm_is_refused() -> None:
    with pytest.raises(InputError, match="leaves batch norm to each process"):
        shard(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), mesh=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "container"), [("vit_small_patch16_224", "blocks"), ("convnext_small", "stages")])
def test_the_blocks_of_a_backbone_are_its_large_layers(name: str, container: str) -> None:
    with torch.device("meta"):
        model = timm.create_model(name)
    found = blocks(model)
    kinds = {type(block) for block in found}
    assert len(kinds) == 1 and kinds.pop().__name__ in ("Block", "ConvNeXtBlock")
    inside = {id(module) for module in model.get_submodule(container).modules()}
    assert found and all(id(block) in inside for block in found)
    # No weight is in two of them.
    weights = [id(weight) for block in found for weight in block.parameters()]
    assert len(weights) == len(set(weights))
    covered = sum(weight.numel() for block in found for weight in block.parameters())
    assert covered > 0.8 * sum(weight.numel() for weight in model.parameters())
