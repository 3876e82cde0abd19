"""How strongly `recipe=auto` changes pictures: `python -m experiments.recipe.strength [emoji_cast=FOLDER]`.

Strengths that stay and strengths that follow training, on the ladder's network and on validation parts only, with
several seeds. 2 cores, about half an hour; the same command goes on after a kill.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.recipe.seeds import SEEDS, table_of, train_all
from experiments.recipe.study import BALANCED, EMOJI, Variant, manifests_of
from experiments.runs import environment_line

PAGE = Path(__file__).parent / "strength.md"
READING = Path(__file__).parent / "strength_reading.md"
SETS = ("tail", "many", EMOJI)
ADAPTIVE = (BALANCED, "augment=adaptive")
VARIANTS = {
    "light": Variant((BALANCED, "augment=light"), SETS),
    "adaptive": Variant(ADAPTIVE, SETS),
    "adaptive_at_once": Variant((*ADAPTIVE, "augment.tolerated=0"), ("tail", "many")),
    "adaptive_slowly": Variant((*ADAPTIVE, "augment.tolerated=0", "augment.gain=2"), SETS),
    "basic": Variant((BALANCED, "augment=basic"), SETS),
}


def main() -> None:
    runs = train_all("strength", VARIANTS, manifests_of(sys.argv[1:]))
    text = f"""# How strongly the recipe changes pictures

`python -m experiments.recipe.strength` writes this page: sets of the [study](README.md), on **validation** parts, with
`recipe=none {NETWORK}`, 20 epochs, 64 px, random weights. f1_macro in percent of each of {len(SEEDS)} seeds, and the
mean few/acc_macro; seconds on one core.

{environment_line(runs["adaptive"]["tail"][0].folder)}

{table_of(VARIANTS, runs, SETS)}

{READING.read_text(encoding="utf-8").strip()}
"""
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
