"""Speed and memory as ratios within one run: `python -m experiments.speed.bench`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from animeid.build import Built, build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.prepare import prepare
from animeid.engine.callbacks.history import History
from animeid.engine.devices import DTYPES
from animeid.engine.trainer import build_trainer, checkpoints
from animeid.folder import RunFolder
from animeid.plan import make_plan
from experiments.runs import table

HERE = Path(__file__).parent
CLASSES, PER_CLASS = 8, 48
ROUNDS = 3
SIZE = 64


def write_pictures(folder: Path, per_class: int) -> None:
    """JPEG pictures of 300 to 1,000 px, smooth with some texture, so that they weigh what photographs weigh."""
    random = np.random.default_rng(0)
    for label in range(CLASSES):
        target = folder / f"class_{label}"
        target.mkdir(parents=True)
        for number in range(per_class):
            height, width = random.integers(300, 1001, 2)
            coarse = random.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            picture = np.asarray(
                Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16
            )
            noise = random.integers(-12, 13, picture.shape, dtype=np.int16)
            Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)).save(target / f"{number}.jpg", quality=90)


def make(root: Path, *overrides: str) -> Built:
    request = compose("train", [f"data.root={root}", "model.pretrained=false", f"data.image_size={SIZE}", *overrides])
    prepared = prepare(gateway.build(request["data"]))
    return build(make_plan(request, prepared, "cpu"), prepared)


def ours(root: Path, epochs: int = 2) -> float:
    """Images/s of the framework's training, all of it, in the epochs after the first."""
    built = make(root, f"trainer.max_epochs={epochs + 1}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        folder.create()
        history = History(folder.history)
        settings = gateway.build(built.plan["trainer"])
        trainer = build_trainer(settings, epochs + 1, [history, *checkpoints(folder, None, "max")], [], folder)
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


def bare_loop(root: Path, epochs: int = 2) -> float:
    """The same network, precision, clipping and loader, in a plain loop."""
    built = make(root, f"trainer.max_epochs={epochs + 1}")
    built.data.setup("fit")
    loader = built.data.train_dataloader()
    module = built.module

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for batch in loader:
            yield module.normalise(batch["image"]), batch["target"]

    settings = built.plan["trainer"]
    dtype, clip = DTYPES[settings["precision"]], settings["gradient_clip_val"]
    return train_plainly(LogitsOnly(module.model), batches, epochs, dtype, clip)


def image_folder(root: Path, epochs: int = 2) -> float:
    """The same network behind torchvision's ImageFolder and its usual transforms, with as many workers.

    As such a loop is usually written: full precision, torch's own memory format.
    """
    built = make(root, f"trainer.max_epochs={epochs + 1}")
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
    data = built.plan["data"]
    loader = DataLoader(
        datasets.ImageFolder(str(root), usual), data["batch_size"], shuffle=True, num_workers=data["num_workers"]
    )
    model = built.module.model.to(memory_format=torch.contiguous_format)
    return train_plainly(LogitsOnly(model), lambda: iter(loader), epochs)


class MemoryWatch(History):
    """Resident memory of this process after each epoch, MiB."""

    def on_train_epoch_end(self, trainer, pl_module) -> None:  # type: ignore[no-untyped-def]
        super().on_train_epoch_end(trainer, pl_module)
        self.seen = [*getattr(self, "seen", []), psutil.Process().memory_info().rss / 2**20]


def resident_after_epochs(root: Path, epochs: int) -> list[float]:
    """MiB of resident memory after each epoch of a training."""
    built = make(root, f"trainer.max_epochs={epochs}", "data.num_workers=0")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        folder.create()
        watch = MemoryWatch(folder.history)
        trainer = build_trainer(
            gateway.build(built.plan["trainer"]), epochs, [watch, *checkpoints(folder, None, "max")], [], folder
        )
        trainer.fit(built.module, datamodule=built.data)
    return watch.seen


def in_turn(measures: dict[str, Callable[[Path], float]], root: Path) -> dict[str, float]:
    """The best rate of each measure over rounds that take turns: what else the machine does only slows them down."""
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            rates[name].append(measure(root))
            print(f"{name}: {rates[name][-1]:.0f} images/s", flush=True)
    return {name: max(values) for name, values in rates.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        small, large = Path(temporary) / "small", Path(temporary) / "large"
        write_pictures(small, PER_CLASS)
        write_pictures(large, 4 * PER_CLASS)
        rates = in_turn({"animeid": ours, "bare loop": bare_loop, "ImageFolder": image_folder}, small)
        precision = make(small).plan["trainer"]["precision"]
        few, many = resident_after_epochs(small, 6), resident_after_epochs(large, 2)
    rows = [
        [
            "a bare loop over the same loader",
            f"{rates['bare loop']:.0f}",
            f"{rates['animeid'] / rates['bare loop']:.2f}",
        ],
        [
            "torchvision's ImageFolder, usual transforms, plain loop in fp32",
            f"{rates['ImageFolder']:.0f}",
            f"{rates['animeid'] / rates['ImageFolder']:.2f}",
        ],
    ]
    header = ["baseline", "its images/s", "animeid / baseline"]
    text = f"""# Speed and memory

`python -m experiments.speed.bench` (`make bench`) writes this page. {CLASSES * PER_CLASS} JPEG pictures of 300 to
1,000 px, {SIZE} px in training, the default model, precision ({precision}), batch size and
workers, {torch.get_num_threads()} threads; the best of {ROUNDS} rounds in which the candidates take turns. animeid:
{rates["animeid"]:.0f} images/s. The bare loop has animeid's precision, clipping and memory format; ImageFolder's
loop is written as it usually is.

{table(header, rows)}

Resident memory of the training process: {few[1]:.0f} MiB after the second epoch and {few[-1]:.0f} MiB after the sixth
(ratio {few[-1] / few[1]:.3f}); with four times the pictures {many[1]:.0f} MiB after the second (ratio
{many[1] / few[1]:.3f}).
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
