"""How strongly pictures may be changed: `python -m experiments.recipe.strength [emoji_cast=FOLDER]`.

Fixed strengths beside `augment=curriculum`, in trainings of few steps and of enough, on validation parts only. 2 cores,
about twenty minutes; the same command goes on after a kill.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.pool import do
from experiments.recipe.network import SEEDS, cell
from experiments.recipe.study import BALANCED, EMOJI, Run, Variant, manifests_of
from experiments.runs import OUTPUTS, environment_line, metrics, table

PAGE = Path(__file__).parent / "strength.md"
READING = Path(__file__).parent / "strength_reading.md"
SETS = ("many", EMOJI)
VARIANTS = {
    "light": Variant((BALANCED,), SETS),
    "basic": Variant((BALANCED, "augment=basic"), SETS),
    "curriculum": Variant((BALANCED, "augment=curriculum"), SETS),
    "basic_long": Variant((BALANCED, "augment=basic"), (EMOJI,), 40),
    "curriculum_long": Variant((BALANCED, "augment=curriculum"), (EMOJI,), 40),
}


def run_of(variant: str, name: str, manifest: Path, seed: int) -> Run:
    found = VARIANTS[variant]
    words = (*found.arguments, NETWORK, f"seed={seed}")
    return Run(f"recipe-strength-{name}-{variant}-{seed}", name, manifest, Variant(words, found.sets, found.epochs))


def main() -> None:
    manifests = manifests_of(sys.argv[1:])
    runs = {
        variant: {name: [run_of(variant, name, manifests[name], seed) for seed in SEEDS] for name in found.sets}
        for variant, found in VARIANTS.items()
    }
    do([run for found in runs.values() for same in found.values() for run in same], OUTPUTS / "recipe-logs")
    rows = []
    for variant, found in runs.items():
        seconds = statistics.median(metrics(run.folder)["cost"]["train_s"] for same in found.values() for run in same)
        words = " ".join(VARIANTS[variant].arguments)
        cells = (cell(found[name]) if name in found else "–" for name in SETS)
        rows.append([f"`{words}`", str(VARIANTS[variant].epochs), *cells, f"{seconds:.0f}"])
    text = f"""# How strongly pictures may be changed

`python -m experiments.recipe.strength` writes this page: sets of the [study](README.md), on **validation** parts, with
`recipe=none {NETWORK}`, 64 px, random weights; 20 epochs are 600 to 900 steps, 40 twice as many. f1_macro in percent of
each of {len(SEEDS)} seeds, and the mean few/acc_macro; median seconds on one core.

{environment_line(runs["light"][EMOJI][0].folder)}

{table(["variant", "epochs", *SETS, "training s"], rows)}

{READING.read_text(encoding="utf-8").strip()}
"""
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
