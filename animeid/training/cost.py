"""Cost of a run: time, memory, size, latency."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from animeid.assembly.plan import FinalPlan
from animeid.engine.inference import output_of
from animeid.engine.operations import count_parameters
from animeid.engine.views import Views
from animeid.models.inference import InferenceModel
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder

LATENCY_RUNS = 20


def peak_memory_mib(device: torch.device) -> float:
    """Peak of the device's memory on cuda, else of this process's resident memory; loader workers not counted."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@torch.inference_mode()
def latency_ms(
    model: InferenceModel, image_size: tuple[int, int], precision: torch.dtype, views: Views | None
) -> float:
    """Median milliseconds for one picture of `image_size` (H, W) on the model's device, after three warm-up answers."""
    picture = torch.zeros((1, 3, *image_size), dtype=torch.uint8, device=model.device)
    times = []
    for _ in range(LATENCY_RUNS + 3):
        start = time.perf_counter()
        output_of(model, picture, precision, views).logits.cpu()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[3:]))


def seconds_of(plan: FinalPlan, train_s: float) -> tuple[float, float | None]:
    """What a run took itself, and what the runs took that it mends or mixes; None where it is no second stage."""
    if soup := plan.facts.soup:
        return train_s + soup["seconds"], soup["earlier_s"]
    is_second = plan.get("stage") and plan["from_run"]
    return train_s, FinishedRun(RunFolder(Path(plan["from_run"]))).training_s if is_second else None


def cost(
    model: InferenceModel,
    checkpoint: Path,
    train_s: float,
    earlier_s: float | None,
    rates: list[float],
    latency: float,
) -> dict[str, Any]:
    """The `cost` of `metrics.json`.

    Args:
        model: that answers, on its device.
        checkpoint: the file of its weights.
        train_s, earlier_s: seconds of training, and of the stages before; None where this is no second stage.
        rates: pictures a second of each epoch's training alone, whose median is `images_per_s`.
        latency: milliseconds for one picture.
    """
    return {
        "train_s": round(train_s, 2),
        **({} if earlier_s is None else {"earlier_s": round(earlier_s, 2)}),
        "images_per_s": round(float(np.median(rates)), 1) if rates else None,
        "peak_mem": round(peak_memory_mib(model.device), 1),
        "params": count_parameters(model),
        "size_mb": round(checkpoint.stat().st_size / 1e6, 2),
        "latency_ms": round(latency, 3),
    }
