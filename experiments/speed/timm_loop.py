"""timm's training loop (its train.py, with its own loader, transforms, loss, optimiser and scheduler) and animeid's."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from timm.data import create_dataset, create_loader, resolve_data_config
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter

from experiments.speed.apart import apart
from experiments.speed.ours import BATCH, our_rate
from experiments.speed.pictures import CLASSES

NETWORKS = ("mobilenetv2_100", "efficientnet_b0")
SIZES = (64, 224)
ROUNDS = 2
TIMMS = [
    "augment.crop_scale=[0.08,1.0]",
    "augment.ops.flip={_target_: albumentations.HorizontalFlip, p: 0.5}",
    (
        "augment.ops.colour={_target_: animeid.data.augment.ColorJitter, brightness: 0.4, contrast: 0.4, "
        "saturation: 0.4, p: 1.0}"
    ),
    "loss.label_smoothing=0.1",
]
"""What its train.py does by default, in animeid's keys."""

HEADER = ["network", "px", "animeid", "timm, defaults", "ratio", "timm, best flags", "flags", "ratio"]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Flags:
    """Flags of timm's train.py.

    workers: -j. channels_last: --channels-last. bf16: --amp --amp-dtype bfloat16.
    """

    workers: int = 4
    channels_last: bool = False
    bf16: bool = False

    def __str__(self) -> str:
        chosen = [f"-j {self.workers}"]
        chosen += ["--channels-last"] * self.channels_last + ["--amp --amp-dtype bfloat16"] * self.bf16
        return " ".join(chosen)


DEFAULTS = Flags()
CANDIDATES = (Flags(2, True), Flags(2, True, True))
"""Its flags that can help on two cores; the better of them is taken for each network and size."""


def timm_rate(root: Path, name: str, size: int, steps: int, flags: Flags) -> float:
    """Images/s of one epoch's first `steps` optimiser steps after a warm-up of two."""
    model = timm.create_model(name, pretrained=False, num_classes=CLASSES)
    config = resolve_data_config({"input_size": (3, size, size)}, model=model)
    if flags.channels_last:
        model = model.to(memory_format=torch.channels_last)
    dataset = create_dataset("", root=str(root), is_training=True, batch_size=BATCH)
    loader = create_loader(
        dataset,
        input_size=config["input_size"],
        batch_size=BATCH,
        is_training=True,
        interpolation="random",
        mean=config["mean"],
        std=config["std"],
        num_workers=flags.workers,
        device=CPU,
        use_prefetcher=True,
        persistent_workers=True,
    )
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=2e-5)
    scheduler, _ = create_scheduler_v2(
        optimizer, sched="cosine", num_epochs=10, step_on_epochs=False, updates_per_epoch=len(loader)
    )
    loss_fn = LabelSmoothingCrossEntropy(0.1)
    autocast = torch.autocast("cpu", torch.bfloat16) if flags.bf16 else nullcontext()
    losses, updates, start = AverageMeter(), 0, 0.0
    model.train()
    while True:
        for image, target in loader:
            if flags.channels_last:
                image = image.contiguous(memory_format=torch.channels_last)
            with autocast:
                loss = loss_fn(model(image), target)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.update(loss.item(), len(image))
            updates += 1
            scheduler.step_update(num_updates=updates, metric=losses.avg)
            if updates == 2:
                start = time.perf_counter()
            elif updates == steps + 2:
                return steps * BATCH / (time.perf_counter() - start)


def timm_rates(root: str, name: str, size: int, steps: int) -> list[float]:
    """Of its defaults, then of the candidates."""
    return [timm_rate(Path(root), name, size, steps, flags) for flags in (DEFAULTS, *CANDIDATES)]


def measure(root: Path, scratch: Path) -> list[list[str]]:
    """A row for each network and size: `HEADER`."""
    rows = []
    for name in NETWORKS:
        for size in SIZES:
            steps = 10 if size == SIZES[0] else 3
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(apart(timm_rates, str(root), name, size, steps))
                ours.append(apart(our_rate, str(root), str(scratch / "pixels"), name, size, TIMMS))
            rate, (defaults, *others) = max(ours), map(max, zip(*theirs, strict=True))
            best = max(others)
            flags = CANDIDATES[others.index(best)]
            beside_defaults = [f"{rate:.1f}", f"{defaults:.1f}", f"{rate / defaults:.2f}"]
            rows.append([name, f"{size}", *beside_defaults, f"{best:.1f}", f"`{flags}`", f"{rate / best:.2f}"])
            print(" | ".join(rows[-1]), flush=True)
    return rows
