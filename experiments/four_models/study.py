"""The four models, from training to the page, with its pictures: `python -m experiments.four_models.study`."""

from __future__ import annotations

import csv
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from animeid import train
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.console import counted
from animeid.system.files import read_json, write_json
from experiments.runs import environment_line, table

HERE = Path(__file__).parent
RUN_ID = "four_models"
RUNS, PAGE = Path("outputs") / RUN_ID, Path("outputs") / "four_models_compared"
WORDS = (
    "-m",
    "experiment=four_models",
    "scale=small",
    "model=efficientnet_b3,efficientnet_b0,mobilenetv2,resnet50",
    "trainer.max_epochs=5",
    "scheduler.cycle_epochs=5",
)
CHARTS = ("accuracy_against_time.png", "bars.png", "stars.png")
TOOK = "seconds.json"


def trained_and_compared() -> float:
    """Does what the documented command does, afresh; returns the seconds that it took."""
    for folder in (RUNS, PAGE):
        shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    if status := train.main([*WORDS, f"run_id={RUN_ID}", f"compare={PAGE}"]):
        sys.exit(status)
    seconds = time.monotonic() - began
    write_json(PAGE / TOOK, {"seconds": seconds})
    return seconds


def with_ends(row: Mapping[str, str], name: str, scale: float = 1.0, digits: int = 1) -> str:
    """A figure and the ends of its interval."""
    value, low, high = (scale * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def row_of(row: Mapping[str, str]) -> list[str]:
    return [
        row["model"],
        row["rank"],
        with_ends(row, "f1_macro", 100),
        with_ends(row, "one_ms"),
        with_ends(row, "images_per_s", digits=0),
        f"{float(row['size_mb']):.1f}",
        f"{float(row['parameters']):.1f}",
        f"{float(row['multiply_adds']):.0f}",
    ]


def environment(folder: Path) -> dict[str, Any]:
    return FinishedRun(RunFolder(folder)).environment


def write_page(seconds: float) -> None:
    for name in CHARTS:
        shutil.copyfile(PAGE / "charts" / name, HERE / name)
    rows = list(csv.DictReader((PAGE / "comparison.csv").read_text(encoding="utf-8").splitlines()))
    header = [
        "model",
        "rank",
        "test f1_macro, %",
        "one picture, ms",
        "pictures a second",
        "MB",
        "million parameters",
        "million multiply-adds",
    ]
    threads = environment(RUNS / "0")["hardware"]["threads"]
    text = f"""# Four models

`python -m experiments.four_models.study` writes this page and its pictures. It does what
`docs/compare.md` does in one command, training to page, which took
**{seconds / 60:.0f} minutes** with {counted(threads, "thread")} a process:

```bash
python -m animeid.train {" ".join(WORDS)} compare=four_models
```

{table(header, [row_of(row) for row in rows])}

Pictures of 64 px from the built-in cast, random weights, five epochs, one seed: which network learns fast from little,
and what each costs, not which is best where published weights are at hand. Models whose intervals overlap have the same
rank.

![accuracy against time](accuracy_against_time.png)

![accuracy, times, throughput, size and memory](bars.png)

![stars](stars.png)

{environment_line(RUNS / "0")}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    is_there = "page" in sys.argv[1:] and (PAGE / TOOK).is_file()
    write_page(read_json(PAGE / TOOK)["seconds"] if is_there else trained_and_compared())
