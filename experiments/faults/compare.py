"""Equality of two runs: bit for bit in all that does not measure time."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from animeid.runs.folder import RunFolder

TIMES = {"seconds", "images_per_s"}


def tensors(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint, the average's and those in training."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return content["state_dict"] | {
        f"{key} now": value for key, value in content.get("weights_in_training", {}).items()
    }


def history(folder: RunFolder) -> list[dict[str, str]]:
    with folder.history.open(encoding="utf-8", newline="") as stream:
        return [{key: value for key, value in row.items() if key not in TIMES} for row in csv.DictReader(stream)]


def figures(folder: RunFolder) -> dict[str, Any]:
    return {part: value for part, value in json.loads(folder.metrics.read_text()).items() if part != "cost"}


def differences(one: RunFolder, other: RunFolder) -> list[str]:
    """What differs, by name; empty where the runs are equal."""
    found = []
    for name in ("last", "best"):
        first, second = (tensors(getattr(folder, name)) for folder in (one, other))
        if first.keys() != second.keys() or any(not torch.equal(first[key], second[key]) for key in first):
            found.append(f"{name}.ckpt")
    if not np.array_equal(np.load(one.logits), np.load(other.logits)):
        found.append("logits.npy")
    if history(one) != history(other):
        found.append("history.csv")
    if figures(one) != figures(other):
        found.append("metrics.json")
    return found
