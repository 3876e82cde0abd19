"""Study of how the head begins, and of what it sees: `python -m experiments.loaded.heads grocery=FOLDER`.

A head that is fitted before training against one of random weights, and one that sees several stages, in the short
trainings of `untried`, in those of `longer`, and where nothing but the head is fitted, on their sets and validation
parts; no test part is read. Options as there. 2 cores, an hour; the same command goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.loaded.further import SHORT, Length, Technique, compared, row, sets_and_table, trained, write_page
from experiments.loaded.longer import LONG
from experiments.loaded.study import Run
from experiments.runs import table

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
PROBED_SETS = {"noto": 1, "openmoji": 1, "few": 1, "groups": 1}
PROBED = Length("probe_linear", dict.fromkeys(PROBED_SETS, 1), dict.fromkeys(PROBED_SETS, 224))
PROBES = {
    f"probe_{head}": Technique(PROBED_SETS, ("stage=probe", "head_init=none", f"head={head}"))
    for head in ("linear", "multi_stage")
}


def probe_rows(runs: Mapping[str, Mapping[str, list[Run]]]) -> list[list[str]]:
    """A row of each head that was fitted; there is no seed, and the first one is what the other is compared with."""
    base = runs[PROBED.base]
    rows = [row(PROBES[name], found, base) for name, found in runs.items()]
    return [[*rows[0][:-1], "–"], *rows[1:]]


def main() -> None:
    probes = trained(PROBES, PROBED)
    short, long = trained(TECHNIQUES, SHORT), trained(LONGER_TECHNIQUES, LONG)
    body = f"""# How the head begins, and what it sees

{compared("heads", TECHNIQUES, SHORT, short)}

## Longer trainings on larger pictures

{sets_and_table(LONGER_TECHNIQUES, LONG, long)}

## Nothing but the head

On pictures of 224 px; a fitted head has no seed. `openmoji` is `noto`'s set, judged in a style that draws outlines.

{table(["fitted", *PROBED_SETS, "gained"], probe_rows(probes))}"""
    write_page("heads", body, short[SHORT.base]["noto"][0].folder)


if __name__ == "__main__":
    main()
