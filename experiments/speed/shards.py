"""Loading from shards against loading from files: `python -m experiments.speed.shards`.

Prints images/s of whole training batches (read, decoded, augmented, collated), the candidates in turn, each in its best
round, and what the writing took. Nothing is trained.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from animeid import shard
from animeid.data.datamodule import CharacterDataModule
from experiments.speed.bench import CLASSES, PER_CLASS, SIZE, make, write_pictures

ROUNDS = 3


def epoch_rate(data: CharacterDataModule, epoch: int) -> float:
    """Images/s of one epoch of the training loader, its start included."""
    data.epoch.fill_(epoch)
    start = time.perf_counter()
    pictures = sum(len(batch["row"]) for batch in data.train_dataloader())
    return pictures / (time.perf_counter() - start)


def compare(candidates: dict[str, CharacterDataModule]) -> dict[str, float]:
    """The best rate of each candidate; they take turns, after a first round that does not count."""
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(ROUNDS + 1):
        for name, data in candidates.items():
            rate = epoch_rate(data, number)
            if number:
                rates[name].append(rate)
    return {name: max(found) for name, found in rates.items()}


def written(arguments: Sequence[str]) -> float:
    """Seconds that writing shards takes."""
    start = time.perf_counter()
    if shard.main(arguments):
        sys.exit(2)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        files, shards, by_class = (Path(temporary) / name for name in ("files", "shards", "by_class"))
        write_pictures(files, PER_CLASS)
        seconds = written([f"data.root={files}", f"output={shards}", "shard_mb=4"])
        written([f"data.root={files}", f"output={by_class}", "shard_mb=4", "by_class=true"])
        rates = compare(
            {
                "files": make(files).data,
                "shards": make(shards).data,
                "shards of one class, sampler=weighted": make(by_class, "sampler=weighted").data,
            }
        )
    print(f"\n{CLASSES * PER_CLASS} JPEG pictures of 300 to 1,000 px to {SIZE} px; writing shards took {seconds:.0f} s")
    for name, rate in rates.items():
        print(f"{name}: {rate:.0f} images/s, {rate / rates['files']:.2f} of files")


if __name__ == "__main__":
    main()
