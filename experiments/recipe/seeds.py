"""Variants on the ladder's network with several seeds, and their table."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.pool import do
from experiments.recipe.study import Run, Variant, manifests_of
from experiments.runs import OUTPUTS, environment_line, metrics, table

HERE = Path(__file__).parent
SEEDS = (1, 2)
Runs = Mapping[str, Mapping[str, Sequence[Run]]]
"""Of each variant and set, those of all seeds."""


def write_page(study: str, title: str, words: str, variants: Mapping[str, Variant], sets: Sequence[str]) -> None:
    """Does what is left of a study's runs and writes its page, `STUDY.md`, with `STUDY_reading.md` at its end.

    Args:
        words: what the page says of the study beside what all have in common.
    """
    runs = _train_all(study, variants, manifests_of(sys.argv[1:]))
    first = next(iter(runs.values()))[sets[0]][0]
    text = f"""# {title}

`python -m experiments.recipe.{study}` writes this page: sets of the [study](README.md), on **validation** parts, with
`recipe=none {NETWORK}`, 20 epochs, 64 px, random weights. f1_macro in percent of each of {len(SEEDS)} seeds, and the
mean few/acc_macro; seconds on one core.{words}

{environment_line(first.folder)}

{_table(variants, runs, sets)}

{(HERE / f"{study}_reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / f"{study}.md").write_text(text, encoding="utf-8")
    print(text)


def _train_all(study: str, variants: Mapping[str, Variant], manifests: Mapping[str, Path]) -> Runs:
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


def _table(variants: Mapping[str, Variant], runs: Runs, sets: Sequence[str]) -> str:
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
