"""How strongly `recipe=auto` changes pictures: `python -m experiments.recipe.strength [emoji_cast=FOLDER]`.

Strengths that stay and strengths that follow training, on the ladder's network and on validation parts only, with
several seeds. 2 cores, about half an hour; the same command goes on after a kill.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.pool import do
from experiments.recipe.network import cell
from experiments.recipe.study import BALANCED, EMOJI, Run, Variant, manifests_of
from experiments.runs import OUTPUTS, environment_line, metrics, table

PAGE = Path(__file__).parent / "strength.md"
READING = Path(__file__).parent / "strength_reading.md"
SEEDS = (1, 2)
SETS = ("tail", "many", EMOJI)
ADAPTIVE = (BALANCED, "augment=adaptive")
VARIANTS = {
    "light": Variant((BALANCED, "augment=light"), SETS),
    "adaptive": Variant(ADAPTIVE, SETS),
    "adaptive_at_once": Variant((*ADAPTIVE, "augment.tolerated=0"), ("tail", "many")),
    "adaptive_slowly": Variant((*ADAPTIVE, "augment.tolerated=0", "augment.gain=2"), SETS),
    "basic": Variant((BALANCED, "augment=basic"), SETS),
}


def runs_of(name: str, variant: Variant, set_: str, manifest: Path) -> list[Run]:
    return [
        Run(
            f"recipe-strength-{set_}-{name}-{seed}",
            set_,
            manifest,
            Variant((*variant.arguments, NETWORK, f"seed={seed}"), epochs=variant.epochs),
        )
        for seed in SEEDS
    ]


def main() -> None:
    manifests = manifests_of(sys.argv[1:])
    runs = {
        name: {set_: runs_of(name, variant, set_, manifests[set_]) for set_ in variant.sets}
        for name, variant in VARIANTS.items()
    }
    do([run for found in runs.values() for same in found.values() for run in same], OUTPUTS / "recipe-logs")
    rows = []
    for name, variant in VARIANTS.items():
        found = runs[name]
        seconds = statistics.median(metrics(run.folder)["cost"]["train_s"] for same in found.values() for run in same)
        cells = [cell(found[set_]) if set_ in found else "–" for set_ in SETS]
        rows.append([f"`{' '.join(variant.arguments)}`", *cells, f"{seconds:.0f}"])
    text = f"""# How strongly the recipe changes pictures

`python -m experiments.recipe.strength` writes this page: sets of the [study](README.md), on **validation** parts, with
`recipe=none {NETWORK}`, 20 epochs, 64 px, random weights. f1_macro in percent of each of {len(SEEDS)} seeds, and the
mean few/acc_macro; seconds on one core.

{environment_line(runs["adaptive"]["tail"][0].folder)}

{table(["variant", *SETS, "training s"], rows)}

{READING.read_text(encoding="utf-8").strip()}
"""
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
