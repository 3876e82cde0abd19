"""What the first choices of `recipe=auto` did on the ladder's network: `python -m experiments.recipe.network`.

The choices were made on a network of 5 million parameters; the ladder's has 0.4 million. The same sets, on validation
parts only, with several seeds. 2 cores, about a quarter of an hour; the same command goes on after a kill.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.pool import do
from experiments.recipe.study import ALL, BALANCED, MEDIUM, SMALLER, Run, Variant, manifests_of
from experiments.runs import OUTPUTS, environment_line, metrics, table

PAGE = Path(__file__).parent / "network.md"
READING = Path(__file__).parent / "network_reading.md"
SEEDS = (1, 2)
VARIANTS = {
    "cross_entropy": (),
    "balanced": (BALANCED,),
    "balanced_b16": (BALANCED, SMALLER),
    "medium": MEDIUM,
    "medium_b16": (*MEDIUM, SMALLER),
}
"""From nothing to all that `recipe=auto` changed on these sets."""


def runs_of(variant: str, name: str, manifest: Path) -> list[Run]:
    return [
        Run(
            f"recipe-network-{name}-{variant}-{seed}",
            name,
            manifest,
            Variant((*VARIANTS[variant], NETWORK, f"seed={seed}")),
        )
        for seed in SEEDS
    ]


def cell(runs: Sequence[Run]) -> str:
    """`77.3, 76.1 (66.2)`: of each seed, and the mean of few-shot classes."""
    found = [metrics(run.folder)["val"] for run in runs]
    few = 100 * statistics.mean(one["few/acc_macro"] for one in found)
    f1 = ", ".join(f"{100 * one['f1_macro']:.1f}" for one in found)
    return f"{f1} ({few:.1f})"


def main() -> None:
    manifests = manifests_of(sys.argv[1:])
    runs = {variant: {name: runs_of(variant, name, manifests[name]) for name in ALL} for variant in VARIANTS}
    do([run for found in runs.values() for same in found.values() for run in same], OUTPUTS / "recipe-logs")
    rows = []
    for variant, found in runs.items():
        seconds = statistics.median(metrics(run.folder)["cost"]["train_s"] for same in found.values() for run in same)
        words = " ".join(VARIANTS[variant]) or "(the cards)"
        rows.append([f"`{words}`", *(cell(found[name]) for name in ALL), f"{seconds:.0f}"])
    text = f"""# The recipe's choices on a smaller network

`python -m experiments.recipe.network` writes this page: the sets of the [study](README.md), on **validation** parts,
with `recipe=none {NETWORK}`, 20 epochs, 64 px, random weights. f1_macro in percent of each of {len(SEEDS)} seeds,
and the mean few/acc_macro; seconds on one core. The last row is what `recipe=auto` chose there when
the ladder was made.

{environment_line(runs["balanced"]["tail"][0].folder)}

{table(["variant", *ALL, "training s"], rows)}

{READING.read_text(encoding="utf-8").strip()}
"""
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
