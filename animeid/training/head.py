"""A head that is fitted, in place of training or before it, or changed after it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from animeid.assembly.adjusted import leftover_of
from animeid.assembly.run import Components
from animeid.engine.checkpoint_io import AtomicCheckpointIO
from animeid.engine.devices import DTYPES, own_device
from animeid.engine.embedding import Embedder
from animeid.losses.functional import cross_entropy
from animeid.models.checkpoint import read_torch
from animeid.models.class_means import some_of_each
from animeid.models.classifier import Classifier
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.types import ModelOutput

Losses = Callable[[Tensor], Tensor]
ENDED = "head_end"
"""The key of a checkpoint whose head was changed after training."""


def make_head(components: Components) -> float:
    """Has a run fit its head, where it does, to the pictures that the sampler shows; returns the seconds that took.

    Raises:
        InputError: the head is none that can be fitted.
    """
    if components.stage.fits_head:
        return _made(components, components.stage.fit_head, _losses_of_the_run)
    if components.head_init is not None:
        return _made(components, components.head_init, _balanced_losses)
    return 0.0


def _made(
    components: Components,
    fit: Callable[[Classifier, Tensor, Losses], str],
    losses_for: Callable[[Components, Tensor, Tensor], Losses],
) -> float:
    began, module, embedder = time.perf_counter(), components.module, components.embedder
    assert embedder is not None
    rows = np.sort(components.data.sampler.stream(components.plan["seed"], 0))
    module.to(own_device(components.plan.trainer.accelerator))
    embeddings = embedder.of(rows, "embedding training pictures")
    embedded_s = time.perf_counter() - began
    module.cpu().train()  # not every device has float64; answering has put all in evaluation, and training leaves it so
    targets = torch.from_numpy(components.data.table.targets[rows])
    note = fit(module.model, embeddings, losses_for(components, embeddings, targets))  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    say(f"{note}; {embedded_s:.1f} s for embeddings, {seconds - embedded_s:.1f} s for the head")
    return seconds


def end_head(components: Components, folder: RunFolder) -> float:
    """Has a run whose best weights are loaded change its head, where it does; returns the seconds that took.

    The weights in `best.ckpt` are replaced in one step, with a mark beside them, so that a run that goes on after a
    kill does not change its head twice.
    """
    if components.head_end is None:
        return 0.0
    saved = read_torch(folder.best)
    if ENDED in saved:
        return 0.0
    began, module, data = time.perf_counter(), components.module, components.data
    rows = some_of_each(data.rows("train"), data.table.targets)
    module.to(own_device(components.plan.trainer.accelerator))
    embedder = Embedder(module, data, (), DTYPES[components.plan.trainer.precision], None, components.plan["head"])
    embeddings = embedder.of(rows, "embedding training pictures")
    module.cpu()  # not every device has float64
    targets, prior = torch.from_numpy(data.table.targets[rows]), leftover_of(folder)
    note = components.head_end(module.model, embeddings, targets, prior)  # type: ignore[arg-type]
    state = module.state_dict()
    changed = {**saved, ENDED: True, "state_dict": {name: state[name] for name in saved["state_dict"]}}
    AtomicCheckpointIO().save_checkpoint(changed, folder.best)
    seconds = time.perf_counter() - began
    say(f"{note}; {seconds:.1f} s")
    return seconds


def _losses_of_the_run(components: Components, embeddings: Tensor, targets: Tensor) -> Losses:
    def losses(logits: Tensor) -> Tensor:
        return components.module.losses(ModelOutput(logits, embeddings), {"target": targets})  # type: ignore[typeddict-item]

    return losses


def _balanced_losses(components: Components, embeddings: Tensor, targets: Tensor) -> Losses:  # noqa: ARG001
    offset = components.stats.log_prior

    def losses(logits: Tensor) -> Tensor:
        return cross_entropy(logits + offset, targets)

    return losses
