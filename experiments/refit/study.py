"""What a refit is worth where classes have 3 to 6 pictures: `python -m experiments.refit.study`.

Each seed draws classes of emoji_cast, of each of them a group for test, and of the others 3 to 6 pictures to learn and
to validate from. Every arm has the same pictures and the same test part. About half an hour on one core; the same
command goes on after a kill. Options: `emoji_cast=FOLDER`, `seeds=N` and `arms=N` for the first of them alone,
`side=PIXELS`.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from animeid.reporting.comparison import differences, in_words
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from experiments.pool import do
from experiments.runs import OUTPUTS, environment_line, percent, table

HERE = Path(__file__).parent
STUDY = "refit"
CLASSES, EPOCHS, SEEDS, SIDE = 40, 20, (1, 2, 3), 64
ARMS = {
    "train alone, the best epoch by val": ("data.refit=false",),
    "train and val, averaged": ("data.refit=true", "averaging=tail"),
    "train and val, last weights": ("data.refit=true", "averaging=none"),
}
FIRST = next(iter(ARMS))
COMMON = (
    "recipe=none",
    "model=efficientnet_lite0",
    "model.pretrained=true",
    "augment=basic",
    "loss=balanced_softmax",
    "optimizer.lr=5e-4",  # as recipe=auto has it for batches of 8, which so few pictures are given
    "head_init=fitted",
    "embeddings=off",
    "logger=none",
    "data.num_workers=0",
    f"trainer.max_epochs={EPOCHS}",
)


@dataclass(frozen=True)
class Run:
    """An arm with the pictures of a seed, which is the run's as well."""

    seed: int
    arm: str
    manifest: Path
    side: int
    needs: str | None = None

    @property
    def name(self) -> str:
        return f"{STUDY}-{self.side}px-{EPOCHS}-{self.seed}-{list(ARMS).index(self.arm)}"

    @property
    def folder(self) -> RunFolder:
        return RunFolder(OUTPUTS / self.name)

    @property
    def is_done(self) -> bool:
        return self.folder.is_finished

    @property
    def command(self) -> list[str]:
        own = [f"run_id={self.name}", "resume=auto", f"data.root={self.manifest}", f"data.image_size={self.side}"]
        return [sys.executable, "-m", "animeid.train", *own, f"seed={self.seed}", *COMMON, *ARMS[self.arm]]


def drawn(table_: pd.DataFrame, seed: int, classes: int = CLASSES) -> pd.DataFrame:
    """Rows of `classes` drawn classes with their split: a whole group each for test, 3 to 6 pictures of the others.

    The pictures to learn from come from as many groups as there are.
    """
    random = np.random.default_rng(seed)
    chosen = random.choice(sorted(table_["label"].unique()), classes, replace=False)
    found = []
    for label in chosen:
        own = table_[table_["label"] == label]
        test, *others = random.permutation(sorted(own["group"].unique()))
        shuffled = [
            own[own["group"] == group].sample(frac=1, random_state=int(random.integers(2**31))) for group in others
        ]
        in_turn = pd.concat([rows.assign(turn=range(len(rows))) for rows in shuffled]).sort_values(
            "turn", kind="stable"
        )
        found.append(in_turn.drop(columns="turn").head(int(random.integers(3, 7))).assign(split="train"))
        found.append(own[own["group"] == test].assign(split="test"))
    return pd.concat(found)


def manifest_of(emoji_cast: Path, seed: int) -> Path:
    folder = OUTPUTS / f"{STUDY}-set-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = folder / "pictures"
    pictures.unlink(missing_ok=True)
    pictures.symlink_to(emoji_cast.resolve(), target_is_directory=True)
    rows = drawn(pd.read_csv(emoji_cast / "manifest.csv", dtype=str, keep_default_na=False), seed)
    rows = rows.assign(path="pictures/" + rows["path"])
    rows[["path", "label", "group", "split"]].to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


def mean_and_interval(values: Sequence[float]) -> str:
    """`+1.2 (+0.3 to +2.1)`: in points, Student's 95 % interval over seeds."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{100 * mean:+.1f}"
    low, high = student.interval(0.95, len(values) - 1, mean, statistics.stdev(values) / len(values) ** 0.5)
    return f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def rows_of(runs: Mapping[str, Sequence[FinishedRun]]) -> list[list[str]]:
    found = []
    for arm, own in runs.items():
        gains = [differences(first, run)["f1_macro"] for first, run in zip(runs[FIRST], own, strict=True)]
        f1 = [percent(run.metrics["test"], "f1_macro") for run in own]
        val = statistics.fmean(run.metrics["val"]["f1_macro"] for run in own)
        mean = statistics.fmean(run.metrics["test"]["f1_macro"] for run in own)
        gained = ["–"] * 2 if arm == FIRST else [mean_and_interval([gain.difference for gain in gains])]
        gained += [] if arm == FIRST else ["; ".join(in_words(gain) for gain in gains)]
        seconds = statistics.fmean(run.training_s or 0.0 for run in own)
        found.append([arm, f"{100 * mean:.1f}", "; ".join(f1), *gained, f"{100 * val:.1f}", f"{seconds:.0f}"])
    return found


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    if not (emoji_cast / "manifest.csv").is_file():
        sys.exit(f"{emoji_cast} holds no manifest.csv: say where the pictures are with emoji_cast=FOLDER")
    seeds, side = SEEDS[: int(options.get("seeds", len(SEEDS)))], int(options.get("side", SIDE))
    manifests = {seed: manifest_of(emoji_cast, seed) for seed in seeds}
    arms = list(ARMS)[: int(options.get("arms", len(ARMS)))]
    jobs = {arm: [Run(seed, arm, manifests[seed], side) for seed in seeds] for arm in arms}
    do([job for of_seed in zip(*jobs.values(), strict=True) for job in of_seed], OUTPUTS / f"{STUDY}-logs")
    runs = {arm: [FinishedRun(job.folder) for job in own] for arm, own in jobs.items()}
    first = runs[FIRST][0]
    learnt, held_out, tested = (int((first.manifest.table["split"] == part).sum()) for part in ("train", "val", "test"))
    given = " ".join(argument for argument in sys.argv[1:] if not argument.startswith("emoji_cast="))
    command = f"python -m experiments.refit.study {given}".strip()
    header = ["trained on", "f1_macro", "of each seed", "more than the first", "of each seed", "val", "training s"]
    text = f"""# What a refit is worth

`{command}` writes this page. {CLASSES} classes of emoji_cast with 3 to 6 pictures each
({learnt} pictures to train, {held_out} to validate and {tested} to test with the first seed), EfficientNet-Lite0 from
published weights, {side} px, {EPOCHS} epochs, {len(seeds)} of {len(SEEDS)} seeds, each of which draws classes, pictures
and groups of its own. f1_macro in percent of the same test part, with 95 % intervals; differences in points, paired:
Student's interval over seeds, and McNemar's of each seed. Under `val` the mean figure of validation, of the
twin where there is one. Seconds on one core, those of the twin among them.

{table(header, rows_of(runs))}

{environment_line(first.folder.path)}

{(HERE / "reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
