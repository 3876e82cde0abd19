"""How much of a teacher its student keeps: `python -m experiments.distill.study [emoji_cast=FOLDER] [only=SET]`.

On each set and with each of three seeds a large network is trained, a small one alone, and the small one taught by the
large one in each way; then three teachers together teach one student. The student's goal is 97 % of its teacher's
f1_macro at a quarter of its time per picture. On two cores some hours a set; a study that was stopped goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student_t

from animeid.plots.picture import BLUE, INK, MUTED, picture
from experiments.runs import OUTPUTS, environment_line, metrics, table, train

HERE = Path(__file__).parent
STUDY = "distill"
SEEDS = (1, 2, 3)
EPOCHS = 10
WAYS = ("logits", "dist", "embedding")
COMMON = (
    "data.image_size=64",
    f"trainer.max_epochs={EPOCHS}",
    "model.pretrained=false",
    "loss=balanced_softmax",
    "augment=basic",
    "embeddings=off",
)
TEACHER = ("model=resnet18",)
STUDENT = ("model=small",)
GOAL_KEPT, GOAL_TIME = 0.97, 0.25
Figures = dict[str, np.ndarray]


def measure(set_name: str, data: Sequence[str]) -> tuple[Figures, Figures]:
    """For each network `[seeds]` f1_macro in test, and milliseconds a picture."""
    f1: dict[str, list[float]] = {}
    time: dict[str, list[float]] = {}

    def run(what: str, seed: int, *overrides: str) -> Path:
        name = f"{set_name}-{what}-{seed}".replace(" ", "_")
        folder = train(STUDY, name, (*COMMON, *data, *overrides, f"seed={seed}"))
        found = metrics(folder)
        f1.setdefault(what, []).append(found["test"]["f1_macro"])
        time.setdefault(what, []).append(found["cost"]["latency_ms"])
        return folder

    teachers = {seed: run("teacher", seed, *TEACHER) for seed in SEEDS}
    together = ":".join(map(str, teachers.values()))
    for seed in SEEDS:
        run("student alone", seed, *STUDENT)
        for way in WAYS:
            run(f"taught by {way}", seed, *STUDENT, f"distill={way}", f"teacher={teachers[seed]}")
        run("taught by three", seed, *STUDENT, "distill=logits", f"teacher={together}")
    return {what: np.array(values) for what, values in f1.items()}, {
        what: np.array(each) for what, each in time.items()
    }


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
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast")) / "manifest.csv"
    if not emoji_cast.is_file():
        sys.exit(f"{emoji_cast} is not there: say where the pictures are with emoji_cast=FOLDER")
    sets: dict[str, list[str]] = {"built-in cast": [], "emoji_cast": [f"data.root={emoji_cast}"]}
    if "only" in options:
        sets = {options["only"]: sets[options["only"]]}
    found = {name: measure(name, data) for name, data in sets.items()}
    rows = [row for name, (f1, time) in found.items() for row in rows_of(name, f1, time)]
    draw({name: f1 for name, (f1, _) in found.items()}, HERE / "students.png")
    asked = " ".join(["python -m experiments.distill.study", *sys.argv[1:]])
    header = ["pictures", "network", "f1_macro", "of the teacher's", "time of the teacher's", "gained over alone"]
    text = f"""# What a student keeps of its teacher

`{asked}` wrote this page. Teacher {TEACHER[0]}, student {STUDENT[0]}, random weights,
64 px, {EPOCHS} epochs, balanced softmax, {len(SEEDS)} seeds; percent with Student's 95 % interval over seeds. The
dashed line is the goal, {100 * GOAL_KEPT:.0f} % of the teacher's, at {GOAL_TIME} of its time per picture.

![f1_macro of teacher and students with intervals](students.png)

{table(header, rows)}

{" ".join(reached(name, *figures) for name, figures in found.items())}

{environment_line(OUTPUTS / f"{STUDY}-{next(iter(found))}-teacher-{SEEDS[0]}".replace(" ", "_"))}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
