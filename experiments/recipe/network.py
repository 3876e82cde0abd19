"""What the first choices of `recipe=auto` did on the ladder's network: `python -m experiments.recipe.network`.

The choices were made on a network of 5 million parameters; the ladder's has 0.4 million. The same sets, on validation
parts only, with several seeds. 2 cores, about a quarter of an hour; the same command goes on after a kill.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.long_tail.rows import NETWORK
from experiments.recipe.seeds import SEEDS, table_of, train_all
from experiments.recipe.study import ALL, BALANCED, MEDIUM, SMALLER, Variant, manifests_of
from experiments.runs import environment_line

PAGE = Path(__file__).parent / "network.md"
READING = Path(__file__).parent / "network_reading.md"
VARIANTS = {
    "cross_entropy": Variant(()),
    "balanced": Variant((BALANCED,)),
    "balanced_b16": Variant((BALANCED, SMALLER)),
    "medium": Variant(MEDIUM),
    "medium_b16": Variant((*MEDIUM, SMALLER)),
}
"""From nothing to all that `recipe=auto` changed on these sets."""


def main() -> None:
    runs = train_all("network", VARIANTS, manifests_of(sys.argv[1:]))
    text = f"""# The recipe's choices on a smaller network

`python -m experiments.recipe.network` writes this page: the sets of the [study](README.md), on **validation** parts,
with `recipe=none {NETWORK}`, 20 epochs, 64 px, random weights. f1_macro in percent of each of {len(SEEDS)} seeds,
and the mean few/acc_macro; seconds on one core. The last row is what `recipe=auto` chose there when
the ladder was made.

{environment_line(runs["balanced"]["tail"][0].folder)}

{table_of(VARIANTS, runs, ALL)}

{READING.read_text(encoding="utf-8").strip()}
"""
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
