"""Sizes that users reach, and how what they wait for grows: `python -m experiments.scale.bench` (`make bench-scale`).

2 cores, under 20 minutes, on a machine that does nothing else. `SCALE=0.01` before it tries the same with a hundredth
of each size, and writes nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from animeid.system.progress import clock
from experiments.runs import table
from experiments.scale import duplicates, run_end, steps, training
from experiments.scale.lines import HEADER, SHARE

HERE = Path(__file__).parent
PARTS = (steps, duplicates, run_end, training)
"""Modules with `rows(scratch)`, the lines of each; `scratch` is a folder for whatever they write."""


def main() -> None:
    lines: list[list[str]] = []
    began = time.monotonic()
    for part in PARTS:
        print(f"{part.__doc__}", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            lines += [line.cells() for line in part.rows(Path(scratch).resolve())]
        print(table(HEADER, lines), flush=True)
    text = f"""# Sizes that users reach

`python -m experiments.scale.bench` (`make bench-scale`) writes this page, here in {clock(time.monotonic() - began)} on
{torch.get_num_threads()} cores without a GPU. Hashes, answers and pictures are drawn. Seconds and peak memory are those
of the largest size, each in a process of its own; its imports (some 400 MiB) count in its memory, pages of files that
lie on disk do not. How seconds grow is the slope of their logarithm over that of the size, among three sizes (of
trainings two) of which the smallest is a quarter to a tenth: near 1 is linear, near 2 a square.

{table(HEADER, lines)}
"""
    if SHARE == 1:
        (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
