"""Speed and memory as ratios within one run: `python -m experiments.speed.bench` (`make bench`).

2 cores, under 15 minutes, on a machine that does nothing else.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from animeid.engine.devices import cpu_has_bf16
from experiments.runs import table
from experiments.speed import loop, pipeline, spending, startup, timm_loop
from experiments.speed.pictures import CLASSES, write_pictures
from experiments.speed.turns import ROUNDS

HERE = Path(__file__).parent
PER_CLASS = 32


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        small, large = scratch / "small", scratch / "large"
        write_pictures(small, PER_CLASS)
        write_pictures(large, 4 * PER_CLASS)
        pipeline_rows = pipeline.rows(small, scratch)
        spending_rows = spending.rows(small, scratch)
        loop_rows = loop.measure(small, scratch)
        memory = loop.memory(small, large, scratch)
        timm_rows = timm_loop.measure(small, scratch)
        startup_rows = startup.rows(small, scratch)
    bf16 = "with" if cpu_has_bf16() else "without"
    text = f"""# Speed and memory

`python -m experiments.speed.bench` (`make bench`) writes this page: {CLASSES * PER_CLASS} JPEG pictures of 300 to
1,000 px, {torch.get_num_threads()} cores {bf16} bf16 instructions, no GPU; the best of {ROUNDS} rounds (timm:
{timm_loop.ROUNDS}) in which the candidates take turns, since what else the machine does only slows them down.

## From files to batches, one core, {pipeline.SIZE} px

{table(pipeline.HEADER, pipeline_rows)}

The baseline decodes every picture in every epoch. Uint8 is what the loader hands over: normalisation is left to the
device. The cache is filled by as many threads as there are cores, small pictures by one. Wanted of what is cached and
handed over: 15. What its time is spent on, by a profile, which makes Python's own part look larger than it is:

{table(spending.HEADER, spending_rows)}

All but the last column is OpenCV's and torch's kernels.

## A whole training, the default model, {loop.SIZE} px

{table(loop.HEADER, loop_rows)}

Wanted against the bare loop: 0.97. It has animeid's precision, clipping, memory format and allocator; ImageFolder's
loop is written as it usually is. {memory}

## timm's training loop

{table(timm_loop.HEADER, timm_rows)}

Images/s with batches of {timm_loop.BATCH} and the same operations: timm's loader with its prefetcher, its transforms,
label smoothing, AdamW and cosine schedule by update, written as its train.py; random weights. Its best flags are the
better of {" and ".join(f"`{flags}`" for flags in timm_loop.CANDIDATES)}. animeid takes its defaults for network and
size, pixels cached. No GPU was at hand: neither the share of time that one waits for data nor its images/s is measured.

## What a user waits for

{table(startup.HEADER, startup_rows)}

Seconds from the start of a process, warm; the goals are for idle cores. The trained run is tiny, its pictures are those
of the tables above, which are large.
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
