"""Variants on the ladder's network with several seeds, and their table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.pool import do
from experiments.recipe.study import Run, Variant
from experiments.runs import OUTPUTS, metrics, table

SEEDS = (1, 2)
Runs = Mapping[str, Mapping[str, Sequence[Run]]]
"""Of each variant and set, those of all seeds."""


def train_all(study: str, variants: Mapping[str, Variant], manifests: Mapping[str, Path]) -> Runs:
    """Does what is left of a study's runs, and returns all of them."""
    runs = {
        name: {set_: _seeded(f"recipe-{study}-{set_}-{name}", variant, set_, manifests[set_]) for set_ in variant.sets}
        for name, variant in variants.items()
    }
    do([run for found in runs.values() for same in found.values() for run in same], OUTPUTS / "recipe-logs")
    return runs


def _seeded(name: str, variant: Variant, set_: str, manifest: Path) -> list[Run]:
    return [
        Run(f"{name}-{seed}", set_, manifest, Variant((*variant.arguments, NETWORK, f"seed={seed}"))) for seed in SEEDS
    ]


def table_of(variants: Mapping[str, Variant], runs: Runs, sets: Sequence[str]) -> str:
    """f1_macro of each seed, the mean few/acc_macro, and the median seconds of training."""
    rows = []
    for name, found in runs.items():
        seconds = statistics.median(metrics(run.folder)["cost"]["train_s"] for same in found.values() for run in same)
        words = " ".join(variants[name].arguments) or "(the cards)"
        cells = [_cell(found[set_]) if set_ in found else "–" for set_ in sets]
        rows.append([f"`{words}`", *cells, f"{seconds:.0f}"])
    return table(["variant", *sets, "training s"], rows)


def _cell(runs: Sequence[Run]) -> str:
    """`77.3, 76.1 (66.2)`: of each seed, and the mean of few-shot classes."""
    found = [metrics(run.folder)["val"] for run in runs]
    few = 100 * statistics.mean(one["few/acc_macro"] for one in found)
    f1 = ", ".join(f"{100 * one['f1_macro']:.1f}" for one in found)
    return f"{f1} ({few:.1f})"
