"""What each setting that keeps the device busy is worth: `python -m experiments.throughput.study`.

2 cores, about 10 minutes, on a machine that does nothing else. Each row differs from the defaults in one setting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from animeid.engine.devices import cpu_has_bf16
from experiments.runs import table
from experiments.speed.apart import apart
from experiments.speed.ours import BATCH, our_rate
from experiments.speed.pictures import CLASSES, write_pictures

HERE = Path(__file__).parent
PER_CLASS = 48
NETWORKS = (("resnet10t", 64), ("mobilenetv2_100", 64), ("mobilenetv2_100", 224))
Setting = tuple[Sequence[str], Sequence[str]]
"""Overrides, and what is left out (see `our_rate`)."""

SETTINGS: dict[str, Setting] = {
    "the defaults": ([], []),
    "without channels_last": ([], ["channels_last"]),
    "without keeping freed memory": ([], ["allocator"]),
    "`data.cache=off`": (["data.cache=off"], []),
    "`data.num_workers=1`": (["data.num_workers=1"], []),
    "`data.num_workers=2`": (["data.num_workers=2"], []),
    "`trainer.precision=32-true`": (["trainer.precision=32-true"], []),
    "`trainer.precision=bf16-mixed`": (["trainer.precision=bf16-mixed"], []),
    "`trainer.compile=true`": (["trainer.compile=true"], []),
}
AUGMENT = ("augment.ops.flip={_target_: albumentations.HorizontalFlip, p: 0.5}", "augment.crop_scale=[0.5,1.0]")


def measure(root: Path, cache: Path, name: str, size: int) -> dict[str, float]:
    """Images/s of each setting, in a process of its own."""
    rates = {}
    for setting, (overrides, without) in SETTINGS.items():
        rates[setting] = apart(our_rate, str(root), str(cache), name, size, [*AUGMENT, *overrides], *without)
        print(f"{name} {size} {setting}: {rates[setting]:.1f} images/s", flush=True)
    return rates


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        root, cache = Path(temporary) / "pictures", Path(temporary) / "pixels"
        write_pictures(root, PER_CLASS)
        columns = [measure(root, cache, name, size) for name, size in NETWORKS]
    rows = []
    for setting in SETTINGS:
        cells = [f"{rates[setting]:.1f} ({rates[setting] / rates['the defaults']:.2f})" for rates in columns]
        rows.append([setting, *cells])
    header = ["setting", *(f"{name}, {size} px" for name, size in NETWORKS)]
    bf16 = "with" if cpu_has_bf16() else "without"
    text = f"""# What keeps the device busy

`python -m experiments.throughput.study` writes this page: training steps of the whole framework, images/s, and as a
share of the defaults; {CLASSES * PER_CLASS} JPEG pictures of 300 to 1,000 px, batches of {BATCH}, random crop and
flip, {torch.get_num_threads()} cores {bf16} bf16 instructions, no GPU. Each setting is measured once, in a process of
its own, so that a tenth more or less says nothing.

{table(header, rows)}

The defaults were chosen by these figures: channels_last for every network that is not a transformer, freed memory
kept, pixels cached, a loader worker for every fourth core beside a CPU. Compiling stays an option: its translation
takes longer than a short run wins back, and is not counted here. Beside a GPU pictures are loaded by a worker a core
into pinned memory and copied while it computes; that was not measured, since no GPU was at hand.
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
