"""Study of styles that were not seen, from loaded weights: `python -m experiments.styles.study pacs=FOLDER`.

Each style of the built-in cast, of emoji_cast and of PACS is held out in turn; a technique is compared with what
`recipe=auto` takes besides, on the same held-out pictures with the same seeds. These are validation parts, and no test
part is read. pacs is a folder `STYLE/CLASS` of PACS (Li 2017; github MachineLearning2020/Homework3-PACS);
`emoji_cast=FOLDER` says where that is, `seeds=N` does the first ones alone, `only="SET STYLE,SET STYLE"` some of the
styles, `length=long` trains longer and on larger pictures what gained most, `length=full` in as many steps as
`recipe=auto` takes, `length=large` on pictures as large as it takes for few, `length=outside fluent=FOLDER` judges
drawings of a team of which training has none, the folder `icons` of the npm package `fluentui-emoji`. 2 cores, an hour
or less for each seed; the same command goes on after a kill.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.loaded.variants import BASIC, COMMON, FITTED, HIGH, rate
from experiments.pool import RunJob, do
from experiments.refit.study import mean_and_interval
from experiments.runs import OUTPUTS, environment_line, metrics, settings_line, table
from experiments.styles import fluent
from experiments.styles.sets import Held, held_out

HERE = Path(__file__).parent
SETTING = rate(HIGH, BASIC, FITTED)
BASE, SEEDS = "nothing", "3"
SINGLE: Mapping[str, tuple[str, ...]] = {
    BASE: (),
    "style": ("augment=style",),
    "augmix": ("augment=augmix",),
    "mixstyle": ("feature_mixing=mixstyle",),
    "batch_norms": ("freezing=batch_norms",),
    "statistics": ("freezing=batch_norms", "freezing.affine=true"),
    "balanced": ("sampler=style_balanced",),
    "dro": ("loss=group_dro",),
}
BOTH, LOW = "both", "both_low"
TOGETHER = (*SINGLE["style"], *SINGLE["statistics"])
TECHNIQUES = {**SINGLE, BOTH: TOGETHER, LOW: (*TOGETHER, "optimizer.lr=3e-4")}
"""Each alone, and two together, at the rate of the others and at a lower one."""
SETS = {
    "cast": "60 characters of the built-in cast, 6 pictures each in three render styles",
    "emoji_cast": "91 roles, 3 or 4 pictures each, in the three other styles",
    "pacs": "7 classes, 15 pictures each in each of three styles",
    "fluent": "78 roles of emoji_cast, 3 or 4 pictures each in its four styles, judged in drawings of Fluent Emoji",
}

FOLDERS = ("pacs", "fluent")
"""Sets of which a command says where they are."""


@dataclass(frozen=True)
class Length:
    """How long and on how large pictures is trained, what is compared, and where; no styles are all.

    page: that is written, and by which reading it ends. title: the end of its first line.
    """

    name: str
    page: str
    title: str
    side: int
    epochs: int
    techniques: tuple[str, ...] = (*SINGLE, BOTH)
    styles: tuple[str, ...] = ()

    @property
    def setting(self) -> tuple[str, ...]:
        return (*SETTING, f"data.image_size={self.side}", f"trainer.max_epochs={self.epochs}")


SHORT = Length("short", "README", "", side=64, epochs=8)
LONG = Length(
    "long",
    "longer",
    ", in longer trainings",
    side=128,
    epochs=12,
    techniques=(BASE, "style", "batch_norms", "statistics", BOTH),
    styles=("cast flat", "emoji_cast twemoji", "pacs photo"),
)
FULL = Length(
    "full",
    "full",
    ", in as many steps as `recipe=auto` takes",
    side=96,
    epochs=60,
    techniques=(BASE, "style", BOTH, LOW),
    styles=("emoji_cast noto", "emoji_cast twemoji", "pacs sketch"),
)
LARGE = Length(
    "large",
    "large",
    ", on pictures of 224 px",
    side=224,
    epochs=9,
    techniques=(BASE, "style", "statistics"),
    styles=("emoji_cast noto", "emoji_cast twemoji", "pacs sketch"),
)
OUTSIDE = Length(
    "outside",
    "outside",
    ", drawn by a team of which training has nothing",
    side=128,
    epochs=12,
    techniques=(BASE, "style", "statistics", BOTH),
    styles=tuple(f"fluent {style}" for style in fluent.STYLES),
)
LENGTHS = {length.name: length for length in (SHORT, LONG, FULL, LARGE, OUTSIDE)}


@dataclass(frozen=True)
class Run(RunJob):
    """A technique where a style is held out, with a seed."""

    technique: str
    held: Held
    seed: int
    length: Length
    needs: str | None = None

    @property
    def name(self) -> str:
        how = self.technique if self.length is SHORT else f"{self.technique}-{self.length.name}"
        return f"styles-{self.held.set}-{self.held.style}-{how}-{self.seed}"

    @property
    def command(self) -> list[str]:
        own = [f"run_id={self.name}", "resume=auto", f"seed={self.seed}", *self.held.overrides]
        return [sys.executable, "-m", "animeid.train", *own, *COMMON, *self.length.setting, *TECHNIQUES[self.technique]]

    def figure(self, name: str) -> float:
        return float(metrics(self.folder)["val"][name])


Found = Mapping[str, Sequence[float]]
"""Of a technique: a figure of each held-out style of each set, the seeds one after the other."""


def gains(of: str, own: Found, base: Found) -> list[float]:
    """Differences on a set, style by style and seed by seed."""
    return [
        reached - other
        for key, same in own.items()
        if key.partition(" ")[0] == of
        for reached, other in zip(same, base[key], strict=True)
    ]


def gains_row(arguments: Sequence[str], own: Found, base: Found, sets: Sequence[str]) -> list[str]:
    """What a technique gains on each set and over all."""
    each = [gains(of, own, base) for of in sets]
    cells = [mean_and_interval(one) for one in (*each, [gain for one in each for gain in one])]
    return [" ".join(f"`{word}`" for word in arguments), *cells]


def style_rows(found: Mapping[str, Found], *, unit: float = 100, places: int = 1) -> list[list[str]]:
    """Of each held-out style, the mean of each technique over its seeds; by default in percent."""
    means = {key: [unit * sum(own[key]) / len(own[key]) for own in found.values()] for key in found[BASE]}
    return [[key, *(f"{mean:.{places}f}" for mean in same)] for key, same in means.items()]


def chosen_styles(options: Mapping[str, str], length: Length) -> list[Held]:
    """Those of a length whose pictures are there, or some of them."""
    found = [one for one in held_out(options) if not length.styles or one.name in length.styles]
    if not found:
        sys.exit(f"length={length.name} has no pictures: say where they are, {'=FOLDER or '.join(FOLDERS)}=FOLDER")
    only = options["only"].split(",") if "only" in options else [one.name for one in found]
    if unknown := set(only) - {one.name for one in found}:
        sys.exit(f"only={min(unknown)} is not there: take some of {', '.join(one.name for one in found)}")
    return [one for one in found if one.name in only]


def page(found: Mapping[str, Found], nll: Mapping[str, Found], options: Mapping[str, str], length: Length) -> str:
    """All tables."""
    sets = list(dict.fromkeys(key.partition(" ")[0] for key in found[BASE]))
    gained = [gains_row(TECHNIQUES[name], own, found[BASE], sets) for name, own in found.items() if name != BASE]
    seeds = options.get("seeds", SEEDS)
    given = {key: value for key, value in options.items() if key not in ("emoji_cast", *FOLDERS)}
    folders = {of: "FOLDER" for of in FOLDERS if of in sets}
    said = [f"{key}={value}" for key, value in ({"length": length.name, "seeds": seeds} | given | folders).items()]
    command = f"python -m experiments.styles.study {shlex.join(said)}"
    number = "one seed" if seeds == "1" else f"{seeds} seeds"
    named = "\n".join(f"- `{of}`: {SETS[of]}" for of in sets)
    return f"""`{command}` wrote this page. f1_macro in percent on the pictures
of a style that training has none of, which are **validation** parts; {number} of each style. To all of them goes
`{settings_line((*COMMON, *length.setting))}`.

{named}

## Gains

Points over a training without it, with Student's 95 % interval over styles and seeds, which takes styles for
independent, and no account of how many techniques are compared. `augment=style` was chosen by other trainings
on the pictures of noto and openmoji.

{table(["added", *sets, "all"], gained)}

## Each style

{table(["held out", *(f"`{name}`" for name in found)], style_rows(found))}

Negative log likelihood of the same runs, less of which is better:

{table(["held out", *(f"`{name}`" for name in nll)], style_rows(nll, unit=1, places=2))}"""


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    seeds = int(options.get("seeds", SEEDS))
    if (asked := options.get("length", SHORT.name)) not in LENGTHS:
        sys.exit(f"length={asked} is not known: take {' or '.join(LENGTHS)}")
    length = LENGTHS[asked]
    styles = chosen_styles(options, length)
    jobs = {
        name: {held: [Run(name, held, seed, length) for seed in range(1, seeds + 1)] for held in styles}
        for name in length.techniques
    }
    by_seed = [same[place] for place in range(seeds) for of in jobs.values() for same in of.values()]
    do(by_seed, OUTPUTS / "styles-logs")
    found, nll = (
        {
            name: {held.name: [run.figure(of) for run in same] for held, same in each.items()}
            for name, each in jobs.items()
        }
        for of in ("f1_macro", "nll")
    )
    text = f"""# What helps on styles that were not seen{length.title}

{page(found, nll, options, length)}

{environment_line(*(run.folder for run in by_seed))}

{(HERE / f"{length.page}_reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / f"{length.page}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
