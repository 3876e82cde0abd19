"""Naming pictures by an artefact and by its run, from files: pictures a second, and seconds until the first answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from experiments.speed.pictures import CLASSES
from experiments.speed.turns import in_turn

PER_CLASS = 64
ROUNDS = 3
GOAL, FIRST_S = 3.0, 1.0
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
    """`HEADER` of a run and its artefact, below `outputs` and beside it, both named like the model."""
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
