"""A head that is fitted, in place of training."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from animeid.assembly.run import Components
from animeid.system.console import say
from animeid.types import ModelOutput


def make_head(components: Components) -> float:
    """Has the stage of a run fit its head to the pictures that the sampler shows; returns the seconds that took.

    Raises:
        InputError: the head is none that can be fitted.
    """
    began, module, embedder = time.perf_counter(), components.module, components.embedder
    assert embedder is not None
    rows = np.sort(components.data.sampler.stream(components.plan["seed"], 0))
    embeddings = embedder.of(rows, "embedding training pictures")
    embedded_s = time.perf_counter() - began
    targets = torch.from_numpy(components.data.table.targets[rows])
    module.cpu()  # not every device has float64

    def losses(logits: Tensor) -> Tensor:
        return module.losses(ModelOutput(logits, embeddings), {"target": targets})  # type: ignore[typeddict-item]

    note = components.stage.fit_head(module.model, embeddings, losses)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    say(f"{note}; {embedded_s:.1f} s for embeddings, {seconds - embedded_s:.1f} s for the head")
    return seconds
