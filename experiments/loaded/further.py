"""Study of techniques beside the recipe's for loaded weights: `python -m experiments.loaded.further grocery=FOLDER`.

What `experiments.loaded.study` chose is trained for few steps, which several seeds of several techniques can afford,
and judged on the same validation parts. Runs of both studies are then answered in several views. No test part is read.
Options as there. 2 cores, some hours; the same command goes on after a kill.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.loaded.sets import SETS, manifests_of
from experiments.loaded.study import Run
from experiments.loaded.variants import BASIC, FITTED, HIGH, rate
from experiments.loaded.views import VIEWS, Judged
from experiments.pool import do
from experiments.refit.study import mean_and_interval
from experiments.runs import OUTPUTS, environment_line, metrics, table

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Length:
    """How long is trained: epochs and picture size of each set.

    base: the name of the runs to which nothing is added.
    """

    base: str
    epochs: Mapping[str, int]
    sides: Mapping[str, int]

    def setting(self, of: str) -> tuple[str, ...]:
        return (*SETTING, f"data.image_size={self.sides[of]}")


@dataclass(frozen=True)
class Technique:
    """What is added to the setting, and the number of seeds on each set: more where it is close."""

    seeds: Mapping[str, int]
    added: tuple[str, ...] = ()


SETTING = rate(HIGH, BASIC, FITTED)
SHORT = Length("short", {"noto": 8, "few": 8, "groups": 3}, dict.fromkeys(("noto", "few", "groups"), 96))
TECHNIQUES = {
    SHORT.base: Technique({"noto": 2, "few": 2, "groups": 1}),
    "short_smoothing": Technique({"noto": 2, "few": 2, "groups": 1}, ("loss.label_smoothing=0.1",)),
    "short_batch_16": Technique({"noto": 2, "few": 2}, ("data.batch_size=16", "optimizer.lr=7e-4")),
    "short_layers": Technique({"noto": 1}, ("optimizer.layer_decay=0.8",)),
}
ANSWERED = (
    "loaded-groups-fitted_1e-3-1",
    "loaded-noto-128_px-1",
    "loaded-noto-224_px_9-1",
    "loaded-few-128_px-1",
    "loaded-few-224_px_9-1",
)
"""Finished runs of the first study that are answered in several views."""


def runs_of(
    options: Mapping[str, str], techniques: Mapping[str, Technique], length: Length
) -> dict[str, dict[str, list[Run]]]:
    """Of each technique and set, those of all seeds."""
    manifests, most = manifests_of(options), int(options.get("seeds", 4))
    return {
        name: {
            of: [
                Run(name, of, seed, manifests[of], (*length.setting(of), *one.added), length.epochs[of])
                for seed in range(1, min(seeds, most) + 1)
            ]
            for of, seeds in one.seeds.items()
            if of in manifests
        }
        for name, one in techniques.items()
    }


def gains(runs: Mapping[str, Sequence[Run]], base: Mapping[str, Sequence[Run]]) -> list[float]:
    """Differences from the runs of the base on the same sets with the same seeds."""
    return [
        run.f1_macro - other.f1_macro for of, same in runs.items() for run, other in zip(same, base[of], strict=False)
    ]


def row(technique: Technique, runs: Mapping[str, Sequence[Run]], base: Mapping[str, Sequence[Run]]) -> list[str]:
    cells = [", ".join(f"{100 * run.f1_macro:.1f}" for run in runs.get(of, ())) or "–" for of in base]
    gained = mean_and_interval(gains(runs, base)) if technique.added else "–"
    return [" ".join(f"`{word}`" for word in technique.added) or "nothing", *cells, gained]


def trained(techniques: Mapping[str, Technique], length: Length) -> dict[str, dict[str, list[Run]]]:
    """The finished runs of each technique and set, by the options of the command line."""
    runs = runs_of(dict(argument.split("=", 1) for argument in sys.argv[1:]), techniques, length)
    everything = [run for found in runs.values() for same in found.values() for run in same]
    do(sorted(everything, key=lambda run: run.seed), OUTPUTS / "loaded-logs")
    return runs


def compared(
    module: str, techniques: Mapping[str, Technique], length: Length, runs: Mapping[str, Mapping[str, list[Run]]]
) -> str:
    """What a page says first: its command, the setting, the sets and the table."""
    command = f"python -m experiments.loaded.{module} grocery=FOLDER"
    return f"""`{command}` writes this page. f1_macro in percent of each seed, on
**validation** parts; test parts are not answered. To all of them goes what [the first study](README.md) says,
`{" ".join(SETTING)}` and what the row adds.
Gains are in points over `nothing` on the same sets with the same seeds, with Student's 95 % interval over those pairs.

{sets_and_table(techniques, length, runs)}"""


def sets_and_table(
    techniques: Mapping[str, Technique], length: Length, runs: Mapping[str, Mapping[str, list[Run]]]
) -> str:
    """What was trained for how long, and what came out."""
    base = runs[length.base]
    sets = "\n".join(f"- `{of}`: {SETS[of].title}; {length.epochs[of]} epochs at {length.sides[of]} px" for of in base)
    rows = [row(techniques[name], found, base) for name, found in runs.items()]
    return f"""{sets}

{table(["added", *base, "gained"], rows)}"""


def write_page(name: str, body: str, *folders: Path) -> None:
    """Writes `NAME.md` here: a body, machine and commits of the runs in `folders`, and what `NAME_reading.md` says."""
    reading = (HERE / f"{name}_reading.md").read_text(encoding="utf-8").strip()
    text = f"{body}\n\n{environment_line(*folders)}\n\n{reading}\n"
    (HERE / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def views_rows(judged: Sequence[Judged]) -> list[list[str]]:
    """A row of each run, and the mean of what is gained over one view."""
    once = {one.run: float(metrics(OUTPUTS / one.run)["val"]["f1_macro"]) for one in judged}
    rows = [
        [one.run.removeprefix("loaded-"), f"{100 * once[one.run]:.1f}"]
        + [f"{100 * one.f1_macro[view]:.1f}" for view in VIEWS]
        for one in judged
    ]
    gained = [mean_and_interval([one.f1_macro[view] - once[one.run] for one in judged]) for view in VIEWS]
    return [*rows, ["gained", "–", *gained]]


def main() -> None:
    runs = trained(TECHNIQUES, SHORT)
    judged = [Judged(run) for run in ANSWERED if (OUTPUTS / run).is_dir()]
    do(judged, OUTPUTS / "loaded-logs")
    body = f"""# Techniques beside the recipe's, from loaded weights

{compared("further", TECHNIQUES, SHORT, runs)}

## Answers in several views

Finished runs of both studies, whose weights stay as they are (`python -m animeid.evaluate run=RUN split=val tta=...`).

{table(["run", "one view", *VIEWS], views_rows(judged))}"""
    write_page("further", body, runs[SHORT.base]["noto"][0].folder)


if __name__ == "__main__":
    main()
