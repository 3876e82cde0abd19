"""Fully sharded data parallelism: each process holds a part of every weight, its gradient and its optimiser state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from animeid.errors import InputError

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

BLOCK_PARAMETERS = 1_000_000
"""A smaller part of a network is gathered with the rest of it: many small messages would cost more than the memory."""

PRECISIONS = ("auto", "32-true", "bf16-mixed")


def check_sharded(request: Mapping[str, Any], accelerator: str) -> None:
    """Raises:
    InputError: `trainer.strategy=fsdp` is asked for with something that cannot be had with it.
    """
    if request["trainer"]["strategy"] != "fsdp":
        return
    if accelerator != "cuda":
        raise InputError(
            f"trainer.strategy=fsdp shards weights over GPUs, and this run computes on {accelerator}: "
            "take trainer=ddp, or start it where CUDA devices are"
        )
    if request["averaging"]:
        raise InputError(
            "trainer.strategy=fsdp holds no whole weights that averaging could follow: take averaging=none"
        )
    if request["freezing"]:
        raise InputError("trainer.strategy=fsdp trains all weights: take freezing=none, or trainer=ddp")
    if request["trainer"]["precision"] not in PRECISIONS:
        raise InputError(
            "trainer.strategy=fsdp computes in 32-true or bf16-mixed: set trainer.precision to one of them"
        )


def sharded_precision(precision: str) -> str:
    """What a sharded run takes where the device's choice is fp16 with loss scaling, which it does not have."""
    return precision if precision in PRECISIONS else "32-true"


def blocks(network: nn.Module) -> list[nn.Module]:
    """The parts of a network that follow one another and are large: transformer blocks, residual blocks.

    Innermost first: a block inside a stage is taken, and the stage is not.
    """
    found: list[nn.Module] = []
    for child in network.children():
        inner = blocks(child)
        is_block = isinstance(network, nn.Sequential | nn.ModuleList) and any(True for _ in child.children())
        if not inner and is_block and sum(weight.numel() for weight in child.parameters()) >= BLOCK_PARAMETERS:
            inner = [child]
        found += inner
    return found


def shard(model: nn.Module, mesh: DeviceMesh) -> None:
    """Shards a model in place over the processes of `mesh` (torch's FSDP2), block by block; a second call does nothing.

    Raises:
        InputError: the model has batch norm, whose statistics would be those of each process alone.
    """
    from torch.distributed.fsdp import FSDPModule, fully_shard

    if isinstance(model, FSDPModule):
        return
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules()):
        raise InputError(
            "trainer.strategy=fsdp leaves batch norm to each process, which changes the result: "
            "take a network with layer norm, such as model=convnext_base or vit_small, or trainer=ddp"
        )
    model.to(memory_format=torch.contiguous_format)  # what is sharded must lie in one piece
    for block in blocks(model):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
