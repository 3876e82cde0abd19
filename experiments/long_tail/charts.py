"""The ladder as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from animeid.plots.picture import BLUE, GREEN, MUTED, ORANGE, PURPLE, picture
from experiments.long_tail.outcomes import Outcome, over_seeds

SHOTS = {"many/acc_macro": PURPLE, "medium/acc_macro": GREEN, "few/acc_macro": ORANGE}


def draw_ladder(rows: Mapping[str, Sequence[Outcome]], base: str, path: Path, title: str) -> None:
    """f1_macro of every row, best on top: each seed, the mean, cross entropy's mean as a line; beside it the time."""
    f1 = {name: [100 * float(outcome.figures["f1_macro"] or 0) for outcome in found] for name, found in rows.items()}
    order = sorted(rows, key=lambda name: np.mean(f1[name]))
    places = range(len(order))
    with picture(path, 9, 1.2 + 0.25 * len(rows)) as figure:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
        left.axvline(np.mean(f1[base]), color=MUTED, linewidth=1, linestyle="--")
        for place, name in zip(places, order, strict=True):
            left.scatter(f1[name], [place] * len(f1[name]), s=14, color=MUTED, zorder=2)
            left.scatter([np.mean(f1[name])], [place], s=40, color=ORANGE if name == base else BLUE, zorder=3)
        left.set_yticks(places, order, fontsize=8)
        left.set_xlabel("test f1_macro in percent: mean, seeds grey")
        left.set_title(title)
        right.barh(places, [np.median([outcome.seconds for outcome in rows[name]]) for name in order], color=BLUE)
        right.set_xlabel("training s on a core")
        right.grid(axis="y", visible=False)


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
            if not values:  # no class is so frequent, or so rare
                continue
            axes.scatter(values, places, s=26, color=colour, label=shot.split("/")[0], zorder=2)
        axes.set_yticks(range(len(order)), order, fontsize=8)
        axes.set_xlabel("test accuracy in percent, mean over the classes of each group")
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
