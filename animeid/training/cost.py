"""What a run cost: time, memory, size, latency."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from animeid.engine.devices import DTYPES
from animeid.engine.inference import output_of
from animeid.engine.module import CharacterModule
from animeid.engine.views import Views

LATENCY_RUNS = 20


def peak_memory_mib(device: torch.device) -> float:
    """Peak of the device's memory on cuda, else of this process's resident memory; loader workers not counted."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@torch.inference_mode()
def latency_ms(module: CharacterModule, image_size: tuple[int, int], views: Views | None) -> float:
    """Median milliseconds for one picture on the device, in the precision and the views of the run, after three warm-up
    answers."""
    precision = DTYPES[module.record["plan"]["trainer"]["precision"]]
    picture = torch.zeros((1, 3, *image_size), dtype=torch.uint8, device=module.device)
    times = []
    for _ in range(LATENCY_RUNS + 3):
        start = time.perf_counter()
        output_of(module, picture, precision, views).logits.cpu()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[3:]))


def cost(
    module: CharacterModule,
    checkpoint: Path,
    image_size: tuple[int, int],
    train_s: float,
    earlier_s: float | None,
    rates: list[float],
    views: Views | None,
) -> dict[str, Any]:
    """The `cost` of `metrics.json`; `images_per_s` is the median over epochs of training alone.

    `earlier_s`, of the stages before, is there for a second stage only.
    """
    return {
        "train_s": round(train_s, 2),
        **({} if earlier_s is None else {"earlier_s": round(earlier_s, 2)}),
        "images_per_s": round(float(np.median(rates)), 1) if rates else None,
        "peak_mem": round(peak_memory_mib(module.device), 1),
        "params": sum(parameter.numel() for parameter in module.model.parameters()),
        "size_mb": round(checkpoint.stat().st_size / 1e6, 2),
        "latency_ms": round(latency_ms(module, image_size, views), 3),
    }
