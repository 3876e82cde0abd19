"""Study of how the head begins, and of what it sees: `python -m experiments.loaded.heads grocery=FOLDER`.

A head that is fitted before training against one of random weights, and one that sees several stages, in the short
trainings of `untried` and in those of `longer`, with their sets and validation parts; no test part is read. Options as
there. 2 cores, an hour; the same command goes on after a kill.
"""

from __future__ import annotations

from pathlib import Path

from experiments.loaded.further import SHORT, Technique, compared, sets_and_table, trained
from experiments.loaded.longer import LONG
from experiments.runs import environment_line

HERE = Path(__file__).parent
SEEDS = {"noto": 2, "few": 2, "groups": 2}
TECHNIQUES = {
    SHORT.base: Technique(SEEDS),
    "short_random_head": Technique(SEEDS, ("head_init=none",)),
    "short_multi_stage": Technique(SEEDS, ("head=multi_stage",)),
}
LONGER = {"noto": 2, "few": 1, "groups": 2}
LONGER_TECHNIQUES = {
    LONG.base: Technique(LONGER),
    "long_random_head": Technique(dict.fromkeys(LONGER, 1), ("head_init=none",)),
    "long_multi_stage": Technique(LONGER, ("head=multi_stage",)),
}


def main() -> None:
    short, long = trained(TECHNIQUES, SHORT), trained(LONGER_TECHNIQUES, LONG)
    text = f"""# How the head begins, and what it sees

{compared("heads", TECHNIQUES, SHORT, short)}

## Trainings as long as those of the recipe

{sets_and_table(LONGER_TECHNIQUES, LONG, long)}

{environment_line(short[SHORT.base]["noto"][0].folder)}

{(HERE / "heads_reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "heads.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
