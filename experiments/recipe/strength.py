"""Study of augmentation strength for `recipe=auto`: `python -m experiments.recipe.strength [emoji_cast=FOLDER]`.

Strengths that stay and strengths that follow training, on the ladder's network and on validation parts only, with
several seeds. 2 cores, about half an hour; the same command goes on after a kill.
"""

from __future__ import annotations

from experiments.recipe.seeds import write_page
from experiments.recipe.study import BALANCED, EMOJI, Variant

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
    write_page("strength", "How strongly the recipe changes pictures", "", VARIANTS, SETS)


if __name__ == "__main__":
    main()
