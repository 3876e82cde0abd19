"""The same search as a sweep of W&B."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from animeid.config.freeze import write_yaml
from animeid.tuning.space import Dimension

METHODS = {"tpe": "bayes", "random": "random", "grid": "grid"}
MIN_ITER = 3


def write_sweep(
    path: Path, space: Sequence[Dimension], arguments: Sequence[str], *, method: str, trials: int, prunes: bool
) -> None:
    """Writes the YAML that `wandb sweep` takes."""
    fixed = {key: {"value": value} for key, _, value in (argument.partition("=") for argument in arguments)}
    sweep: dict[str, Any] = {
        "program": "animeid.train",
        "project": "animeid",
        "method": METHODS[method],
        "metric": {"name": "val/f1_macro", "goal": "maximize"},
        "parameters": {
            "logger": {"value": "wandb"},
            **fixed,
            **{one.key: {"values": list(one.grid())} if method == "grid" else one.for_wandb() for one in space},
        },
        # A parameter becomes an argument `key=value`, which is how Hydra takes them.
        "command": ["${env}", "${interpreter}", "-m", "${program}", "${args_no_hyphens}"],
    }
    if method != "grid":
        sweep["run_cap"] = trials
    if prunes:
        sweep["early_terminate"] = {"type": "hyperband", "min_iter": MIN_ITER}
    write_yaml(path, sweep)
