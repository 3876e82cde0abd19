"""Naming pictures by an artefact and by its run, from files: `python -m experiments.deploy.runtime [MODEL ...]`.

Prints pictures a second of the two commands at 224 px, and the seconds until the first answer of a new process. On a
machine that does nothing else, about four minutes a model on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from animeid.system.machine import usable_cores
from experiments.runs import table
from experiments.speed.pictures import CLASSES, write_pictures
from experiments.speed.turns import in_turn

MODELS = ("mobilenetv2",)
SIZE = 224
PER_CLASS = 64
ROUNDS = 3
GOAL, FIRST_S = 3.0, 1.0
TRAINED = ("recipe=none", "model.pretrained=false", "trainer.max_epochs=1", "logger=none", f"data.image_size={SIZE}")
HEADER = ["model", "engine", "run, pictures/s", "artefact, pictures/s", "ratio", "artefact, first answer, s"]


def command(*arguments: str, folder: Path) -> float:
    """Seconds that a command of animeid takes in a folder, from the start of its process to its end."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if arguments[0] == "animeid.predict" else None,
    )
    return time.perf_counter() - began


def rate(asked: str, one: Path, folder: Path) -> float:
    """Pictures a second of a command over a folder; what a process of one picture takes is no part of it."""
    start = command("animeid.predict", asked, f"input={one}", folder=folder)
    whole = command("animeid.predict", asked, "input=pictures", folder=folder)
    return (CLASSES * PER_CLASS - 1) / (whole - start)


def row(model: str, folder: Path) -> list[str]:
    """`HEADER` of a network with random weights, which takes as long as any."""
    command("animeid.train", "data.root=small", *TRAINED, f"model={model}", f"run_id={model}", folder=folder)
    command("animeid.export", f"run=outputs/{model}", f"output={model}", folder=folder)
    one = next(iter(sorted((folder / "pictures").rglob("*.jpg"))))
    asked = {"run": f"run=outputs/{model}", "artefact": f"artefact={model}"}
    command("animeid.predict", asked["artefact"], "input=pictures", folder=folder)  # which measures the pace
    rates = in_turn({name: lambda key=key: rate(key, one, folder) for name, key in asked.items()}, ROUNDS)
    first = min(command("animeid.predict", asked["artefact"], f"input={one}", folder=folder) for _ in range(ROUNDS))
    ratio = rates["artefact"] / rates["run"]
    return [
        model,
        engine_of(folder / model),
        *(f"{rates[name]:.0f}" for name in asked),
        f"{ratio:.1f} ({GOAL:g})",
        f"{first:.2f} ({FIRST_S:g})",
    ]


def engine_of(artefact: Path) -> str:
    from animeid.deploy.runtime import Runtime

    engine = Runtime.load(artefact).engine
    return f"{engine.name} {engine.precision}"


def main(models: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        write_pictures(Path(temporary) / "pictures", PER_CLASS)
        write_pictures(Path(temporary) / "small", 8)
        rows = [row(model, Path(temporary)) for model in models or MODELS]
    print(f"{CLASSES * PER_CLASS} JPEG files of 300 to 1,000 px, {usable_cores()} cores; goals in brackets\n")
    print(table(HEADER, rows))


if __name__ == "__main__":
    main(sys.argv[1:])
