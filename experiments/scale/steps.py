"""What a training step or a batch of validation costs with many classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from animeid.losses.contrastive import balanced_contrastive
from animeid.metrics.collection import build_collection
from experiments.scale.lines import Goal, Line, Watch, sized
from experiments.speed.apart import apart

CLASSES = (1_000, 3_000, 10_000)
BATCH, PAIRS = 32, 256
TIMES = 5


def mean_of(work: Callable[[], object]) -> list[float]:
    """Seconds of one call, of several after the first, and MiB."""
    work()
    with Watch() as watch:
        for _ in range(TIMES):
            work()
    return [watch.seconds / TIMES, watch.mib]


def validation(classes: int) -> list[float]:
    logits, targets = torch.randn(BATCH, classes), torch.randint(classes, (BATCH,))
    collection = build_collection(classes)
    collection.update(logits, targets)
    return mean_of(lambda: collection.update(logits, targets))


def contrast(classes: int) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    projected, centres = (
        functional.normalize(torch.randn(count, 128, generator=generator)).requires_grad_()
        for count in (PAIRS, classes)
    )
    targets = torch.randint(classes, (PAIRS,), generator=generator)
    return mean_of(lambda: balanced_contrastive(projected, targets, centres, 0.1).sum().backward())


def rows(scratch: Path) -> list[Line]:  # noqa: ARG001 - as every module of the benchmark has it
    """Lines of this module."""
    sizes = [sized(number, 10) for number in CLASSES]
    most = f"{sizes[-1]:,} classes"
    return [
        Line(
            "validation figures of a batch",
            f"{BATCH} pictures, {most}",
            sizes,
            [apart(validation, size) for size in sizes],
            Goal("0.02 s", 0.02),
        ),
        Line(
            "balanced contrast, forward and back",
            f"{PAIRS} pictures, {most}",
            sizes,
            [apart(contrast, size) for size in sizes],
            Goal("0.5 s", 0.5),
        ),
    ]
