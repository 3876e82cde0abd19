"""What training from published weights reaches beside timm's loop: `python -m experiments.loaded.peer`.

The same network, weights, pictures, size, epochs and seeds; timm's loop (`experiments.long_tail.timm_row`) gets the
better one of two rates on each set by the test part, which favours it. The lower rate, which reached half of the other
with the first seed, is left at that seed, and so are random weights, which take the longest. The rules of `recipe=auto`
were chosen on other parts (`experiments.loaded.study`). Test parts are read once. 2 cores, about an hour and a half;
the same command goes on after a kill. Options: `emoji_cast=FOLDER`, `only=SET,SET`, `seeds=N` for the first ones alone
or `seeds=N,N` of each set, `page=NAME` of what is written.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from animeid.runs.folder import RunFolder
from experiments.effort.study import interval
from experiments.long_tail.sets import grouped_manifest
from experiments.pool import RunJob, do
from experiments.real_input.study import held_out_manifest
from experiments.refit.study import mean_and_interval
from experiments.runs import OUTPUTS, environment_line, metrics, table

HERE = Path(__file__).parent
SEEDS = (1, 2, 3)
LOW = "3e-4"
RATES = (LOW, "1e-3")
AUTO, RANDOM = "recipe=auto", "recipe=auto, random weights"
ONE_SEED = (LOW, RANDOM)
COMMON = ("model=efficientnet_lite0", "data.image_size=64", "logger=none", "embeddings=off", "data.num_workers=0")


@dataclass(frozen=True)
class Compared:
    """A set with a test part, and what is wanted on it.

    overrides: of every run. gain: points over timm's loop that are wanted; times: of its figure.
    random_times: how many times the epochs random weights are given; 0 leaves them out.
    """

    title: str
    overrides: tuple[str, ...]
    epochs: int
    gain: float = 0.0
    times: float = 0.0
    random_times: int = 0

    def is_met(self, own: float, peer: float) -> bool:
        return 100 * (own - peer) >= self.gain and own >= self.times * peer


@dataclass(frozen=True)
class Job(RunJob):
    """A row on a set with a seed."""

    set: str
    row: str
    seed: int
    compared: Compared

    def named(self, row: str) -> str:
        words = row.replace(" ", "_").replace("=", "_").replace(",", "")
        return f"loaded-peer-{self.set}-{words}-{self.seed}"

    @property
    def name(self) -> str:
        return self.named(self.row)

    @property
    def needs(self) -> str | None:
        return self.named(AUTO) if self.row in RATES else None

    @property
    def command(self) -> list[str]:
        if self.row in RATES:
            own = [self.named(AUTO), self.name, str(self.seed), str(self.compared.epochs), self.row]
            return [sys.executable, "-m", "experiments.long_tail.timm_row", *own]
        is_random = self.row == RANDOM
        epochs = self.compared.epochs * (self.compared.random_times if is_random else 1)
        own = [f"run_id={self.name}", "resume=auto", f"seed={self.seed}", f"trainer.max_epochs={epochs}"]
        weights = f"model.pretrained={str(not is_random).lower()}"
        return [sys.executable, "-m", "animeid.train", *own, *COMMON, weights, *self.compared.overrides]


def sets(emoji_cast: Path) -> dict[str, Compared]:
    tail = "data.long_tail=8"
    groups = grouped_manifest(emoji_cast, OUTPUTS / "loaded-peer-groups")
    held = {
        style: held_out_manifest(emoji_cast, style, OUTPUTS / f"loaded-peer-{style}") for style in ("openmoji", "noto")
    }
    cast = ("data.cast.imbalance=100", "data.cast.test_per_class=50", "data.cast.seed=6007")
    return {
        "groups": Compared("emoji_cast by groups, thinned by 8", (f"data.root={groups}", tail), 10, gain=10),
        **{
            style: Compared(f"emoji_cast, {style}'s style held out", (f"data.root={manifest}", tail), 10, times=3)
            for style, manifest in held.items()
        },
        "cast": Compared("a built-in cast, imbalance 100", cast, 10, gain=10, random_times=3),
    }


def gained_over(figures: Sequence[float], peer: Sequence[float]) -> str:
    """Points over the peer, paired by seeds."""
    return mean_and_interval([own - other for own, other in zip(figures, peer, strict=True)])


def rows_of(compared: Compared, found: Mapping[str, Sequence[float]]) -> list[list[str]]:
    """Rows of a set: figures by row and seed, and what is gained over the best of timm's."""
    best = found[max(RATES, key=lambda rate: statistics.fmean(found[rate]))]
    rows = []
    for name, figures in found.items():
        label = f"timm's loop, {name}" if name in RATES else name
        gained = "–" if name in RATES else gained_over(figures, best[: len(figures)])
        ratio = statistics.fmean(figures) / statistics.fmean(best[: len(figures)])
        goal = f"+{compared.gain:.0f} points" if compared.gain else f"{compared.times:.0f} times"
        met = "yes" if compared.is_met(statistics.fmean(figures), statistics.fmean(best)) else "no"
        wanted = f"{goal}: {met}" if name == AUTO else ""
        each = ", ".join(f"{100 * one:.1f}" for one in figures)
        rows.append([compared.title, label, interval(figures), each, gained, f"{ratio:.2f}", wanted])
    return rows


def seeds_of(chosen: Sequence[str], said: str) -> dict[str, tuple[int, ...]]:
    """Of each set, the first N seeds: one number for all, or one for each."""
    numbers = [int(word) for word in said.split(",")]
    each = numbers * len(chosen) if len(numbers) == 1 else numbers
    return {name: SEEDS[:number] for name, number in zip(chosen, each, strict=True)}


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    chosen = sets(Path(options.get("emoji_cast", "../shared/emoji_cast")))
    if "only" in options:
        chosen = {name: chosen[name] for name in options["only"].split(",")}
    seeds = seeds_of(chosen, options.get("seeds", str(len(SEEDS))))
    jobs = {
        name: {
            row: [Job(name, row, seed, one) for seed in (seeds[name][:1] if row in ONE_SEED else seeds[name])]
            for row in (AUTO, *RATES, *([RANDOM] if one.random_times else []))
        }
        for name, one in chosen.items()
    }
    everything = [job for rows in jobs.values() for same in rows.values() for job in same]
    do(sorted(everything, key=lambda job: job.seed), OUTPUTS / "loaded-logs")
    found = [
        row
        for name, rows in jobs.items()
        for row in rows_of(
            chosen[name],
            {row: [metrics(OUTPUTS / job.name)["test"]["f1_macro"] for job in same] for row, same in rows.items()},
        )
    ]
    epochs = "\n".join(f"- {one.title}: {one.epochs} epochs" for one in chosen.values())
    given = " ".join(argument for argument in sys.argv[1:] if not argument.startswith("emoji_cast="))
    command = f"python -m experiments.loaded.peer {given}".strip()
    header = ["pictures", "trained by", "f1_macro", "of each seed", "points over timm's best", "times it", "wanted"]
    text = f"""# Training from published weights beside timm's loop

`{command}` wrote this page. EfficientNet-Lite0 from its ImageNet weights,
64 px; f1_macro in percent of test parts, with Student's 95 % interval over seeds where there are several. timm's loop:
its train.py with the same initial weights, AdamW and cosine, the better one of two rates on each set; {LOW} has one
seed. `recipe=auto` refits where classes are small, which trains twice for the same epochs. Random weights, where they
are in the table, get three times the epochs and one seed.

{epochs}

{table(header, found)}

{environment_line(RunFolder(OUTPUTS / everything[0].name).path)}
"""
    (HERE / f"{options.get('page', 'peer')}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
