"""The ladder as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from animeid.reports.picture import BLUE, GREEN, MUTED, ORANGE, PURPLE, picture
from experiments.long_tail.outcomes import Outcome, over_seeds

THREAD = {"arrowstyle": "-", "color": MUTED, "lw": 0.4}
"""From a point to its name."""
SHOTS = {"many/acc_macro": PURPLE, "medium/acc_macro": GREEN, "few/acc_macro": ORANGE}


def draw_ladder(rows: Mapping[str, Sequence[Outcome]], base: str, path: Path, title: str) -> None:
    """f1_macro of every row, best on top: each seed, the mean, and cross entropy's mean as a line."""
    means = {name: np.mean([100 * outcome.figures["f1_macro"] for outcome in found]) for name, found in rows.items()}  # type: ignore[operator]
    order = sorted(rows, key=lambda name: means[name])
    with picture(path, 7, 1.2 + 0.25 * len(rows)) as figure:
        axes = figure.subplots()
        axes.axvline(means[base], color=MUTED, linewidth=1, linestyle="--")
        for place, name in enumerate(order):
            seeds = [100 * outcome.figures["f1_macro"] for outcome in rows[name]]  # type: ignore[operator]
            axes.scatter(seeds, [place] * len(seeds), s=14, color=MUTED, zorder=2)
            axes.scatter([means[name]], [place], s=40, color=ORANGE if name == base else BLUE, zorder=3)
        axes.set_yticks(range(len(order)), order, fontsize=8)
        axes.set_xlabel("test f1_macro in percent: seeds grey, their mean in colour, cross entropy dashed")
        axes.set_title(title)


def draw_cost(rows: Mapping[str, Sequence[Outcome]], path: Path, title: str) -> None:
    """f1_macro over training time; names stand where they do not hide one another."""
    with picture(path, 7.5, 5) as figure:
        axes = figure.subplots()
        points = sorted(
            (
                float(np.mean([outcome.seconds for outcome in found])),
                float(np.mean([100 * outcome.figures["f1_macro"] for outcome in found])),  # type: ignore[operator]
                name,
            )
            for name, found in rows.items()
        )
        axes.scatter([x for x, _, _ in points], [y for _, y, _ in points], color=BLUE, zorder=2)
        axes.set_xscale("log")
        taken: list[tuple[float, float]] = []
        height = (max(y for _, y, _ in points) - min(y for _, y, _ in points) or 1) / 28
        for x, y, name in points:
            shown = y
            while any(abs(np.log(x / other)) < 0.5 and abs(shown - used) < height for other, used in taken):
                shown += height
            taken.append((x, shown))
            axes.annotate(name, (x, y), (x * 1.02, shown), fontsize=6.5, arrowprops=THREAD)
        axes.set_xlabel("seconds of training on one core")
        axes.set_ylabel("test f1_macro in percent")
        axes.set_title(title)


def draw_shots(rows: Mapping[str, Sequence[Outcome]], path: Path, title: str) -> None:
    """Accuracy on frequent and on rare classes of every row, by that on rare ones."""
    found = {
        name: {shot: mean[0] for shot in SHOTS if (mean := over_seeds([o.figures[shot] for o in outcomes]))}
        for name, outcomes in rows.items()
    }
    order = sorted(found, key=lambda name: found[name].get("few/acc_macro", 0))
    with picture(path, 7, 1.2 + 0.25 * len(rows)) as figure:
        axes = figure.subplots()
        for shot, colour in SHOTS.items():
            places = [place for place, name in enumerate(order) if shot in found[name]]
            values = [100 * found[order[place]][shot] for place in places]
            axes.scatter(values, places, s=26, color=colour, label=shot.split("/")[0], zorder=2)
        axes.set_yticks(range(len(order)), order, fontsize=8)
        axes.set_xlabel("test accuracy in percent, mean over the classes of each group")
        axes.set_title(title)
        axes.legend(loc="lower right", fontsize=8)
