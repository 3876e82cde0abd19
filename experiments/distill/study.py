"""How much of a teacher its student keeps: `python -m experiments.distill.study [emoji_cast=FOLDER] [only=SET]`.

On each set and with each of three seeds a teacher is trained, a student alone, and the student taught by the teacher in
several ways; where all are asked for, the three teachers together teach one student too. The student's goal is 97 % of
its teacher's f1_macro at a quarter of its time per picture. On two cores half an hour a set; a study that was stopped
goes on.
"""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t as student_t

from animeid.engine.inference import output_of
from animeid.inference.predictor import Predictor
from animeid.plots.picture import BLUE, INK, MUTED, picture
from experiments.long_tail.sets import grouped_manifest
from experiments.runs import OUTPUTS, environment_line, metrics, table, train

HERE = Path(__file__).parent
STUDY = "distill"
SEEDS = (1, 2, 3)
WAYS = ("logits", "dist", "embedding")
BATCH, ROUNDS = 32, 15
"""Pictures that are answered together where times are compared, and how often, the networks in turn."""
LEARN = ("loss=balanced_softmax", "augment=basic", "embeddings=off")
RANDOM = ("data.image_size=64", "trainer.max_epochs=10", "model.pretrained=false", *LEARN)
LOADED = ("model=efficientnet_lite0", "model.pretrained=true", "optimizer.lr=1e-3", "head_init=fitted")
GOAL_KEPT, GOAL_TIME = 0.97, 0.25
Figures = dict[str, np.ndarray]


@dataclass(frozen=True)
class Pair:
    """A teacher and its student on a set of pictures.

    title: for the page. common: goes to all of their runs. ways: in which the student is taught.
    together: whether the teachers of all seeds teach a student as well.
    """

    title: str
    common: tuple[str, ...]
    teacher: tuple[str, ...]
    student: tuple[str, ...]
    ways: tuple[str, ...] = WAYS
    together: bool = True


def pairs(emoji_cast: Path) -> dict[str, Pair]:
    """By the set's name."""
    manifest = grouped_manifest(emoji_cast, OUTPUTS / f"{STUDY}-groups")
    return {
        "built-in cast": Pair(
            "24 drawn characters, random weights, 64 px, 10 epochs: ResNet18 teaches `model=small`",
            RANDOM,
            ("model=resnet18",),
            ("model=small",),
        ),
        "emoji_cast": Pair(
            "emoji_cast with groups held out, thinned by 8; EfficientNet-Lite0 from published weights, 6 epochs, at "
            "160 px teaches itself at 64 px",
            (f"data.root={manifest}", "data.long_tail=8", "trainer.max_epochs=6", *LOADED, *LEARN),
            ("data.image_size=160",),
            ("data.image_size=64",),
            ("embedding",),
            together=False,
        ),
    }


def measure(set_name: str, pair: Pair) -> tuple[Figures, Figures]:
    """For each network `[seeds]` f1_macro in test, and milliseconds a picture."""
    runs: dict[str, list[Path]] = {}

    def run(what: str, seed: int, *overrides: str) -> Path:
        name = f"{set_name}-{what}-{seed}".replace(" ", "_")
        folder = train(STUDY, name, (*pair.common, *overrides, f"seed={seed}"))
        runs.setdefault(what, []).append(folder)
        return folder

    teachers = {seed: run("teacher", seed, *pair.teacher) for seed in SEEDS}
    for seed in SEEDS:
        run("student alone", seed, *pair.student)
        for way in pair.ways:
            run(f"taught by {way}", seed, *pair.student, f"distill={way}", f"teacher={teachers[seed]}")
        if pair.together:
            run(
                "taught by three",
                seed,
                *pair.student,
                "distill=logits",
                f"teacher={':'.join(map(str, teachers.values()))}",
            )
    f1 = {what: np.array([metrics(folder)["test"]["f1_macro"] for folder in found]) for what, found in runs.items()}
    return f1, milliseconds(runs)


def milliseconds(runs: Mapping[str, Sequence[Path]]) -> Figures:
    """Of each network and seed the median time per picture of several that are answered together, in turn."""
    predictors = {what: [Predictor.load(folder) for folder in found] for what, found in runs.items()}
    seconds: dict[str, list[list[float]]] = {what: [[] for _ in found] for what, found in predictors.items()}
    for _ in range(ROUNDS):
        for what, found in predictors.items():
            for place, predictor in enumerate(found):
                seconds[what][place].append(answered_s(predictor))
    return {what: 1000 * np.median(np.array(each), axis=1) / BATCH for what, each in seconds.items()}


@torch.inference_mode()
def answered_s(predictor: Predictor) -> float:
    pixels = torch.zeros((BATCH, 3, *predictor.image_size), dtype=torch.uint8)
    began = clock.perf_counter()
    output_of(predictor.model, pixels, predictor.precision, predictor.views)
    return clock.perf_counter() - began


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, and Student's 95 % interval over seeds."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = float(student_t.ppf(0.975, len(values) - 1) * error)
    return float(values.mean()), float(values.mean()) - half, float(values.mean()) + half


def told(values: np.ndarray) -> str:
    """`61.3 (58.0 to 64.2)`, in percent."""
    return "{:.1f} ({:.1f} to {:.1f})".format(*(100 * value for value in interval(values)))


def rows_of(set_name: str, f1: Figures, time: Figures) -> list[list[str]]:
    """A row a network."""
    return [
        [
            set_name,
            what,
            told(values),
            f"{100 * values.mean() / f1['teacher'].mean():.0f} %",
            f"{time[what].mean() / time['teacher'].mean():.2f}",
            "" if what in ("teacher", "student alone") else told(values - f1["student alone"]),
        ]
        for what, values in f1.items()
    ]


def reached(set_name: str, f1: Figures, time: Figures) -> str:
    """A sentence about the goal."""
    best = max((what for what in f1 if what.startswith("taught")), key=lambda what: f1[what].mean())
    kept = f1[best].mean() / f1["teacher"].mean()
    share = time[best].mean() / time["teacher"].mean()
    met = "met" if kept >= GOAL_KEPT and share <= GOAL_TIME else "not met"
    return (
        f"On {set_name} the best student ({best}) keeps {100 * kept:.0f} % of its teacher's f1_macro at {share:.2f} of "
        f"its time: the goal is {met}."
    )


def draw(found: Mapping[str, Figures], path: Path) -> None:
    """A panel a set: mean f1_macro of each network with its interval."""
    with picture(path, 4.2 * len(found), 2.8) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(found)))
        for axes, (set_name, f1) in zip(panels, found.items(), strict=True):
            for place, values in enumerate(reversed(f1.values())):
                mean, low, high = interval(values)
                axes.plot([low, high], [place, place], color=BLUE)
                axes.plot(mean, place, "o", color=INK)
            axes.axvline(GOAL_KEPT * f1["teacher"].mean(), color=MUTED, linestyle="--")
            axes.set_yticks(range(len(f1)), list(reversed(f1)))
            axes.set_title(f"{set_name}: f1_macro in test")


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    if not (emoji_cast / "manifest.csv").is_file():
        sys.exit(f"{emoji_cast} has no manifest.csv: say where the pictures are with emoji_cast=FOLDER")
    sets = pairs(emoji_cast)
    if "only" in options:
        sets = {options["only"]: sets[options["only"]]}
    found = {name: measure(name, pair) for name, pair in sets.items()}
    rows = [row for name, (f1, time) in found.items() for row in rows_of(name, f1, time)]
    draw({name: f1 for name, (f1, _) in found.items()}, HERE / "students.png")
    header = ["pictures", "network", "f1_macro", "of the teacher's", "time of the teacher's", "gained over alone"]
    text = f"""# What a student keeps of its teacher

`python -m experiments.distill.study` wrote this page. Test parts, balanced softmax, {len(SEEDS)} seeds; percent with
Student's 95 % interval over seeds. Times are those of a picture of {BATCH} that are answered together by PyTorch. The
dashed line is the goal, {100 * GOAL_KEPT:.0f} % of the teacher's f1_macro, at {GOAL_TIME} of its time per picture.

{"".join(f"- {name}: {pair.title}{chr(10)}" for name, pair in sets.items())}
![f1_macro of teacher and students with intervals](students.png)

{table(header, rows)}

{" ".join(reached(name, *figures) for name, figures in found.items())}

{environment_line(OUTPUTS / f"{STUDY}-{next(iter(found))}-teacher-{SEEDS[0]}".replace(" ", "_"))}

{(HERE / "reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
