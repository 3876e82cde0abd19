"""Study of `recipe=auto` on the ladder's network: `python -m experiments.recipe.network`.

The choices were made on a network of 5 million parameters; the ladder's has 0.4 million. The same sets, on validation
parts only, with several seeds. 2 cores, about a quarter of an hour; the same command goes on after a kill.
"""

from __future__ import annotations

from experiments.recipe.seeds import write_page
from experiments.recipe.study import ALL, BALANCED, MEDIUM, SMALLER, Variant

VARIANTS = {
    "cross_entropy": Variant(()),
    "balanced": Variant((BALANCED,)),
    "balanced_b16": Variant((BALANCED, SMALLER)),
    "medium": Variant(MEDIUM),
    "medium_b16": Variant((*MEDIUM, SMALLER)),
}
"""From nothing to all that `recipe=auto` changed on these sets."""


def main() -> None:
    write_page(
        "network",
        "The recipe's choices on a smaller network",
        " The last row is what `recipe=auto` chose there when the\nladder was made.",
        VARIANTS,
        ALL,
    )


if __name__ == "__main__":
    main()
