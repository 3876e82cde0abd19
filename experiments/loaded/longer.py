"""Study of batch norm kept as it was loaded in longer trainings: `python -m experiments.loaded.longer grocery=FOLDER`.

It gained in short trainings at 96 px (`untried`); here trainings are as long and pictures as large as with
`recipe=auto`. The same sets and validation parts; no test part is read. Options as there. 2 cores, half an hour; the
same command goes on after a kill.
"""

from __future__ import annotations

from experiments.loaded.further import Length, Technique, compared, trained, write_page

LONG = Length("long", {"noto": 9, "few": 9, "groups": 10}, {"noto": 224, "few": 224, "groups": 128})
SEEDS = {"noto": 1, "few": 1, "groups": 1}
TECHNIQUES = {
    LONG.base: Technique(SEEDS),
    "long_batch_norms": Technique(SEEDS, ("freezing=batch_norms",)),
}


def main() -> None:
    runs = trained(TECHNIQUES, LONG)
    body = f"""# Batch norm kept as it was loaded, in longer trainings

{compared("longer", TECHNIQUES, LONG, runs)}"""
    write_page("longer", body, runs[LONG.base]["noto"][0].folder)


if __name__ == "__main__":
    main()
