"""Environment of a result: code, versions, hardware, data."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from animeid.terms import EVALUATED_SPLITS

PACKAGES = ("animeid", "torch", "torchvision", "lightning", "timm", "albumentations", "numpy", "pillow", "torchmetrics")


def _git(*arguments: str) -> str | None:
    """The answer of git about the code that runs, or None where the code is no checkout."""
    folder = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def code() -> dict[str, Any]:
    """Commit and dirty flag; both None where the code is no git checkout of its own."""
    tracked = _git("ls-files", "--error-unmatch", "__init__.py")
    commit = _git("rev-parse", "HEAD") if tracked else None
    changes = _git("status", "--porcelain") if commit else None
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def data_fingerprint(table: pd.DataFrame) -> str:
    """sha256 over content, label and split of each picture: equal for equal data wherever it lies."""
    lines = sorted(f"{row.sha256}\t{row.label}\t{row.split}" for row in table.itertuples())
    return sha256("\n".join(lines).encode()).hexdigest()


def hardware(accelerator: str, gpu: str | None, threads: int) -> dict[str, Any]:
    import psutil

    found = {
        "machine": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "accelerator": accelerator,
        "threads": threads,
    }
    return found if gpu is None else {**found, "gpu": gpu}


def describe(
    table: pd.DataFrame, seeds: dict[str, int], accelerator: str, gpu: str | None, threads: int
) -> dict[str, Any]:
    """The content of `environment.json`.

    Args:
        table: the manifest.
        seeds: by name.
        accelerator: cuda, mps or cpu.
        gpu: what the GPU is called, where there is one.
        threads: of torch on the processor; sums are parted among them.
    """
    return {
        "command": shlex.join(sys.orig_argv),
        "code": code(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "hardware": hardware(accelerator, gpu, threads),
        "seeds": seeds,
        "data_fingerprint": data_fingerprint(table),
        # Figures of runs can be compared where this is equal.
        "judged_fingerprint": data_fingerprint(table[table["split"].isin(EVALUATED_SPLITS)]),
    }
