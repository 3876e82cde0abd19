"""The same search as a sweep of W&B."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.system.console import say
from animeid.system.files import write_yaml
from animeid.tuning.space import Dimension

METHODS = {"tpe": "bayes", "random": "random", "grid": "grid"}
MIN_ITER = 3


def write_sweep(
    path: Path,
    space: Sequence[Dimension],
    arguments: Sequence[str],
    hydra: Sequence[str],
    *,
    method: str,
    trials: int,
    prunes: bool,
) -> None:
    """Writes the YAML that `wandb sweep` takes; its trials leave the test part alone.

    Raises:
        InputError: an argument takes something away, which W&B's arguments cannot.
    """
    without = [argument for argument in arguments if argument.startswith("~")]
    if without:
        raise InputError(f"{without[0]} cannot be part of a sweep of W&B, whose arguments give values: leave it out")
    given = dict(argument.split("=", 1) for argument in arguments)
    logger = given.pop("logger", "wandb")
    if logger != "wandb":
        say(f"logger={logger} is left out: W&B ranks by what its own logger sends")
    fixed = {key: {"value": value} for key, value in given.items()}
    sweep: dict[str, Any] = {
        "program": "animeid.train",
        "project": "animeid",
        "method": METHODS[method],
        "metric": {"name": "val/f1_macro", "goal": "maximize"},
        "parameters": {
            **fixed,
            "logger": {"value": "wandb"},
            "test": {"value": "false"},
            **{one.key: {"values": list(one.grid())} if method == "grid" else one.for_wandb() for one in space},
        },
        # A parameter becomes an argument `key=value`, which is how Hydra takes them.
        "command": ["${env}", "${interpreter}", "-m", "${program}", *hydra, "${args_no_hyphens}"],
    }
    if method != "grid":
        sweep["run_cap"] = trials
    if prunes:
        sweep["early_terminate"] = {"type": "hyperband", "min_iter": MIN_ITER}
    write_yaml(path, sweep)
