"""Study of throughput settings: `python -m experiments.throughput.study`.

2 cores, about 15 minutes, on a machine that does nothing else. Each row differs from the defaults in one setting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from animeid.engine.devices import cpu_has_bf16
from experiments.runs import table
from experiments.speed.apart import apart
from experiments.speed.ours import BATCH, our_rate
from experiments.speed.pictures import CLASSES, write_pictures
from experiments.speed.turns import rates_in_turn

HERE = Path(__file__).parent
NETWORKS = (("resnet10t", 64, 160), ("mobilenetv2_100", 224, 40))
"""Name, pixels, and so many pictures of each class that an epoch takes some seconds."""
ROUNDS = 2
Setting = tuple[Sequence[str], Sequence[str]]
"""Overrides, and what is left out (see `our_rate`)."""

SETTINGS: dict[str, Setting] = {
    "the defaults": ([], []),
    "without channels_last": ([], ["channels_last"]),
    "without keeping freed memory": ([], ["allocator"]),
    "one thread": ([], ["threads"]),
    "`data.cache=off`": (["data.cache=off"], []),
    "`data.num_workers=1`": (["data.num_workers=1"], []),
    "`data.num_workers=2`": (["data.num_workers=2"], []),
    "`trainer.precision=32-true`": (["trainer.precision=32-true"], []),
    "`trainer.precision=bf16-mixed`": (["trainer.precision=bf16-mixed"], []),
    "`trainer.compile=true`": (["trainer.compile=true"], []),
}
AUGMENT = ("augment.ops.flip={_target_: albumentations.HorizontalFlip, p: 0.5}", "augment.crop_scale=[0.5,1.0]")


def measure(root: Path, cache: Path, name: str, size: int) -> dict[str, list[float]]:
    """Images/s of each setting in each round, in a process of its own."""

    def rate(setting: Setting) -> float:
        overrides, without = setting
        return apart(our_rate, str(root), str(cache), name, size, [*AUGMENT, *overrides], *without)

    return rates_in_turn({text: partial(rate, setting) for text, setting in SETTINGS.items()}, ROUNDS)


def cell(rates: dict[str, list[float]], setting: str) -> str:
    """The best round of a setting, what it is of the defaults' best, and the slowest round."""
    best = max(rates[setting])
    return f"{best:.0f} (× {best / max(rates['the defaults']):.2f}; slowest {min(rates[setting]):.0f})"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        columns = []
        for name, size, per_class in NETWORKS:
            root, cache = Path(temporary) / f"pictures-{size}", Path(temporary) / f"pixels-{size}"
            write_pictures(root, per_class)
            columns.append(measure(root, cache, name, size))
    text = page(columns)
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


def page(columns: Sequence[dict[str, list[float]]]) -> str:
    rows = [[setting, *(cell(rates, setting) for rates in columns)] for setting in SETTINGS]
    spreads = [max(values) / min(values) - 1 for rates in columns for values in rates.values()]
    header = ["setting", *(f"{name}, {size} px" for name, size, _ in NETWORKS)]
    pictures = " and ".join(f"{CLASSES * count:,}" for _, _, count in NETWORKS)
    bf16 = "with" if cpu_has_bf16() else "without"
    return f"""# What keeps the device busy

`python -m experiments.throughput.study` writes this page: training steps of the whole framework, images/s, and as a
multiple of the defaults; {pictures} JPEG pictures of 300 to 1,000 px, batches
of {BATCH}, random crop and flip, {torch.get_num_threads()} cores {bf16} bf16 instructions, no GPU.
Each setting runs in a process of its own, {ROUNDS} rounds in which they take turns. The best round counts, since what
else the machine does only slows it down. Rounds of one setting differed by {100 * np.median(spreads):.0f} % in the
median and {100 * max(spreads):.0f} % at most: less than that between two settings says nothing.

{table(header, rows)}

The defaults, each the better choice here or none that the rounds can tell from it: channels_last for every network that
is not a transformer, freed memory kept, a thread a core, pixels cached, a loader worker for every fourth core beside a
CPU. Compiling stays an option: its translation takes longer than a short run wins back, and is not counted here. Beside
a GPU pictures are loaded by a worker a core into pinned memory and copied while it computes; that was not measured,
since no GPU was at hand.
"""


if __name__ == "__main__":
    main()
