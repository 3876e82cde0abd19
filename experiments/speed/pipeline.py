"""From files to batches: pictures a second and core against torchvision's ImageFolder, in turn in one process."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchvision.transforms import InterpolationMode

from animeid.assembly.run import Components
from animeid.config.compose import compose
from animeid.curate.shards import write
from experiments.speed.apart import apart
from experiments.speed.runs import make
from experiments.speed.turns import in_turn

SIZE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 32

# The usual four operations, in animeid's cards and in torchvision's words.
USUAL = (
    "augment=none",
    "augment.crop_scale=[0.08,1.0]",
    "augment.ops.flip={_target_: albumentations.HorizontalFlip, p: 0.5}",
    (
        "augment.ops.colour={_target_: animeid.data.augment.ColorJitter, brightness: 0.3, contrast: 0.3, "
        "saturation: 0.3, hue: 0.1, p: 1.0}"
    ),
)


def usual() -> transforms.Compose:
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.3, 0.3, 0.3, 0.1),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def light() -> transforms.Compose:
    """conf/augment/light.yaml in torchvision's words."""
    rotation = transforms.RandomRotation(10, interpolation=InterpolationMode.BILINEAR)
    return transforms.Compose(
        [
            transforms.Resize(SIZE),
            transforms.CenterCrop(SIZE),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([rotation], 0.5),
            transforms.RandomApply([transforms.ColorJitter(0.2)], 0.5),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def rate(batches: Iterator[torch.Tensor]) -> float:
    start, pictures = time.perf_counter(), 0
    for batch in batches:
        pictures += len(batch)
    return pictures / (time.perf_counter() - start)


def folder_batches(root: Path, transform: transforms.Compose) -> Iterator[torch.Tensor]:
    for image, _ in DataLoader(datasets.ImageFolder(str(root), transform), BATCH, shuffle=True):
        yield image


def our_batches(built: Components, *, normalised: bool) -> Iterator[torch.Tensor]:
    for batch in built.data.train_dataloader():
        yield built.module.normalise(batch["image"]) if normalised else batch["image"]


def first_epoch(root: Path, cache: Path, card: tuple[str, ...]) -> float:
    """Pictures a second of an epoch that finds no cache, what makes it counted in; without the network."""
    shutil.rmtree(cache, ignore_errors=True)
    pixels = Filling()
    with pixels:
        built = ours(root, cache, card)
    start, pictures = time.perf_counter(), 0
    for batch in our_batches(built, normalised=True):
        pictures += len(batch)
    return pictures / (time.perf_counter() - start + pixels.seconds)


class Filling:
    """How long a block fills the pixel cache."""

    def __enter__(self) -> None:
        from animeid.assembly import data

        self.seconds, self.opens = 0.0, data.open_cache

        def timed(*arguments):  # type: ignore[no-untyped-def]
            start = time.perf_counter()
            found = self.opens(*arguments)
            self.seconds = time.perf_counter() - start
            return found

        data.open_cache = timed

    def __exit__(self, *error: object) -> None:
        from animeid.assembly import data

        data.open_cache = self.opens


def ours(root: Path, cache: Path | str, card: tuple[str, ...]) -> Components:
    return make(
        root,
        f"data.image_size={SIZE}",
        f"data.batch_size={BATCH}",
        "data.num_workers=0",
        "data.val_ratio=0",
        "data.test_ratio=0",
        f"data.cache={cache}",
        *card,
    )


def measure(root: str, scratch: str, kind: str) -> dict[str, float]:
    """Pictures a second of each stage; on one core, everything in this process with one thread."""
    one_core()
    card, transform = KINDS[kind]
    cache = Path(scratch) / "pixels"
    first = max(first_epoch(Path(root), cache, card) for _ in range(2))
    cached, files = ours(Path(root), cache, card), ours(Path(root), "off", card)
    stored = ours(shards(Path(root), Path(scratch) / "shards" / str(list(KINDS).index(kind))), "off", card)
    return {"first": first} | in_turn(
        {
            "baseline": lambda: rate(folder_batches(Path(root), transform())),
            "ready": lambda: rate(our_batches(cached, normalised=False)),
            "normalised": lambda: rate(our_batches(cached, normalised=True)),
            "files": lambda: rate(our_batches(files, normalised=True)),
            "shards": lambda: rate(our_batches(stored, normalised=True)),
        }
    )


def shards(root: Path, output: Path) -> Path:
    """The same pictures, all for training, as WebDataset shards."""
    write(
        compose(
            "shard", [f"data.root={root}", f"output={output}", "shard_mb=4", "data.val_ratio=0", "data.test_ratio=0"]
        )
    )
    return output


def rows(root: Path, scratch: Path) -> list[list[str]]:
    """A row for each set of operations and stage: `HEADER`."""
    found = []
    for kind in KINDS:
        rates = apart(measure, str(root), str(scratch), kind)
        baseline = rates["baseline"]
        found.append([kind, "torchvision's ImageFolder on PIL, normalised", f"{baseline:.0f}", "1.00"])
        found += [[kind, text, f"{rates[name]:.0f}", f"{rates[name] / baseline:.2f}"] for name, text in STAGES.items()]
    return found


def one_core() -> None:
    """Keeps this process on one core, with one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)


KINDS = {
    "random crop, flip, colour jitter": (USUAL, usual),
    "`augment=light`: flip, rotation, brightness": (("augment=light",), light),
}
STAGES = {
    "ready": "animeid, cached, uint8 batches as handed over",
    "normalised": "animeid, cached, and normalised on the same core",
    "files": "animeid without a cache, normalised",
    "shards": "animeid from WebDataset shards, without a cache, normalised",
    "first": "animeid's first epoch, the cache's build counted in, normalised",
}
HEADER = ["operations", "what", "images/s and core", "ratio"]
