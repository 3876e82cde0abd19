"""animeid's training beside plain loops, and the memory that it takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from animeid.assembly.run import Components
from animeid.engine.allocator import keep_freed_memory
from animeid.engine.callbacks.history import History
from animeid.engine.devices import DTYPES
from animeid.engine.trainer import build_trainer, checkpoints
from animeid.runs.folder import RunFolder
from experiments.speed.apart import apart
from experiments.speed.runs import make
from experiments.speed.turns import in_turn

SIZE = 64
HEADER = ["baseline", "its images/s", "animeid's images/s", "animeid / baseline"]
BASELINES = {
    "bare loop": "a bare loop over the same loader",
    "ImageFolder": "torchvision's ImageFolder, usual transforms, plain loop in fp32",
}


def make_small(root: str, cache: str, *overrides: str) -> Components:
    return make(Path(root), f"data.image_size={SIZE}", f"data.cache={cache}", *overrides)


def ours(root: str, cache: str, epochs: int = 6) -> float:
    """Images/s of the framework's training, all of it, in the epochs after the first."""
    keep_freed_memory()  # as a run does
    built = make_small(root, cache, f"trainer.max_epochs={epochs + 1}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        folder.create()
        history = History(folder.history)
        settings = built.plan.trainer
        trainer = build_trainer(settings, epochs + 1, [history, *checkpoints(folder, None)], [], folder)
        trainer.fit(built.module, datamodule=built.data)
    return max(history.rates[1:])


def train_plainly(
    model: nn.Module,
    batches: Callable[[], Iterator[tuple[torch.Tensor, torch.Tensor]]],
    epochs: int,
    dtype: torch.dtype = torch.float32,
    clip: float | None = None,
) -> float:
    """Images/s of a plain loop: forward, cross entropy, backward, AdamW, in the epochs after the first."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    criterion = nn.CrossEntropyLoss()
    model.train()
    rates = []
    for _ in range(epochs + 1):
        start, pictures = time.perf_counter(), 0
        for image, target in batches():
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                logits = model(image)
            criterion(logits.float(), target).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            pictures += len(target)
        rates.append(pictures / (time.perf_counter() - start))
    return max(rates[1:])


class LogitsOnly(nn.Module):
    """The same network without the framework's output type."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.model(image).logits


def bare_loop(root: str, cache: str, epochs: int = 6) -> float:
    """The same network, precision, clipping, loader and allocator, in a plain loop."""
    keep_freed_memory()
    built = make_small(root, cache, f"trainer.max_epochs={epochs + 1}")
    built.data.setup("fit")
    loader = built.data.train_dataloader()
    module = built.module

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for batch in loader:
            yield module.normalise(batch["image"]), batch["target"]

    settings = built.plan.trainer
    dtype, clip = DTYPES[settings.precision], settings.gradient_clip_val
    return train_plainly(LogitsOnly(module.model), batches, epochs, dtype, clip)


def image_folder(root: str, cache: str, epochs: int = 2) -> float:
    """The same network behind torchvision's ImageFolder and its usual transforms, with as many workers.

    As such a loop is usually written: full precision, torch's own memory format.
    """
    built = make_small(root, cache, f"trainer.max_epochs={epochs + 1}")
    backbone = built.module.model.backbone
    usual = transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.3, 0.3, 0.3, 0.1),
            transforms.ToTensor(),
            transforms.Normalize(backbone.mean, backbone.std),
        ]
    )
    data = built.plan.data
    loader = DataLoader(datasets.ImageFolder(root, usual), data.batch_size, shuffle=True, num_workers=data.num_workers)
    model = built.module.model.to(memory_format=torch.contiguous_format)
    return train_plainly(LogitsOnly(model), lambda: iter(loader), epochs)


class MemoryWatch(History):
    """Memory of this process after each epoch, MiB: what is its own, without the pages of the cache's files."""

    def on_train_epoch_end(self, trainer, pl_module) -> None:  # type: ignore[no-untyped-def]
        super().on_train_epoch_end(trainer, pl_module)
        self.seen = [*getattr(self, "seen", []), psutil.Process().memory_full_info().uss / 2**20]


def resident_after_epochs(root: str, cache: str, epochs: int) -> list[float]:
    """MiB of resident memory after each epoch of a training."""
    keep_freed_memory()
    built = make_small(root, cache, f"trainer.max_epochs={epochs}", "data.num_workers=0")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        folder.create()
        watch = MemoryWatch(folder.history)
        trainer = build_trainer(built.plan.trainer, epochs, [watch, *checkpoints(folder, None)], [], folder)
        trainer.fit(built.module, datamodule=built.data)
    return watch.seen


def measure(root: Path, scratch: Path) -> list[list[str]]:
    """A row for each baseline: `HEADER`."""
    cache = str(scratch / "pixels")
    functions = {"animeid": ours, "bare loop": bare_loop, "ImageFolder": image_folder}
    rates = in_turn({name: partial(apart, function, str(root), cache) for name, function in functions.items()})
    rate = rates.pop("animeid")
    return [[BASELINES[name], f"{other:.0f}", f"{rate:.0f}", f"{rate / other:.2f}"] for name, other in rates.items()]


def memory(few: Path, many: Path, scratch: Path) -> str:
    """Sentences on a training's memory over epochs and pictures."""
    cache = str(scratch / "pixels")
    after = apart(resident_after_epochs, str(few), cache, 6)
    larger = apart(resident_after_epochs, str(many), cache, 2)
    return (
        f"Memory of the training process, without the pages of the cache's files: {after[1]:.0f} MiB after the second "
        f"epoch and {after[-1]:.0f} MiB after the sixth (ratio {after[-1] / after[1]:.3f}); with four times the "
        f"pictures {larger[1]:.0f} MiB after the second (ratio {larger[1] / after[1]:.3f})."
    )
