"""Study of the W&B dashboard, from offline runs: `python -m experiments.tracking.study`.

Three short runs on the built-in cast without a W&B key, some minutes on 2 cores. The panels are those of
`python -m animeid.dashboard`; their values are read back from the files that W&B would send.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from PIL import Image

from animeid.plots.picture import BLUE, GREEN, MUTED, ORANGE, picture
from animeid.tracking.dashboard import build_workspace
from experiments.runs import environment_line, table, train
from experiments.tracking.offline import OfflineRun, offline_runs

HERE = Path(__file__).parent
COLOURS = (BLUE, ORANGE, GREEN)
COLUMNS = 2
SMALL = 8
"""Letters of ticks and tables, in points."""
COMMON = (
    "recipe=none",
    "logger=wandb",
    "logger.mode=offline",
    "data.cast.characters=8",
    "data.cast.train_largest=60",
    "data.cast.val_largest=20",
    "data.cast.test_per_class=10",
    "trainer.max_epochs=6",
    "trainer.log_every_n_steps=2",
)
RUNS = {
    "lr 0.001": ("optimizer.lr=0.001",),
    "lr 0.003": ("optimizer.lr=0.003",),
    "lr 0.003, weight decay 0.2": ("optimizer.lr=0.003", "optimizer.weight_decay=0.2"),
}
NOTE = "Drawn by matplotlib from offline W&B runs; W&B's own page looks different."

Records = dict[str, OfflineRun]
Draw = Callable[[Axes, Any, Records], None]


def line_plot(axes: Axes, panel: Any, runs: Records) -> None:
    """A figure over the steps, a line a run."""
    for (name, run), colour in zip(runs.items(), COLOURS, strict=True):
        (figure,) = panel.y
        points = [(row[panel.x], row[figure]) for row in run.history if figure in row and panel.x in row]
        axes.plot(*zip(*points, strict=True), color=colour, label=name)
    axes.set_xlabel(panel.x)


def bar_plot(axes: Axes, panel: Any, runs: Records) -> None:
    """Final figures, a group of bars a figure."""
    places = np.arange(len(panel.metrics))
    for number, ((name, run), colour) in enumerate(zip(runs.items(), COLOURS, strict=True)):
        values = [run.summary[figure] for figure in panel.metrics]
        axes.barh(places + 0.27 * (1 - number), values, 0.25, color=colour, label=name)
    axes.set_yticks(places, panel.metrics)
    axes.grid(axis="y", visible=False)


def value_of(run: OfflineRun, metric: Any) -> float:
    """The value of a `Config` or `SummaryMetric`."""
    if type(metric).__name__ == "SummaryMetric":
        return run.summary[metric.name]
    value: Any = run.config
    for key in metric.name.split("."):
        value = value[key]
    return value


def parallel_coordinates(axes: Axes, panel: Any, runs: Records) -> None:
    """Choices and results, a line a run, each axis from its smallest to its largest value."""
    values = np.array(
        [[value_of(run, column.metric) for column in panel.columns] for run in runs.values()], dtype=float
    )
    low, high = values.min(axis=0), values.max(axis=0)
    heights = np.where(high > low, (values - low) / np.where(high > low, high - low, 1), 0.5)
    for name, row, colour in zip(runs, heights, COLOURS, strict=True):
        axes.plot(row, color=colour, marker="o", label=name)
    names = [
        f"{column.metric.name}\n" + (f"{small:.3g} to {large:.3g}" if large > small else f"{small:.3g}")
        for column, small, large in zip(panel.columns, low, high, strict=True)
    ]
    axes.set_xticks(range(len(names)), names, fontsize=SMALL, rotation=40, ha="right")
    axes.set_yticks([])


def flat(config: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values by dotted names."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


def run_comparer(axes: Axes, _: Any, runs: Records) -> None:
    """The keys of the configuration in which the runs differ."""
    configs = [flat({name: value for name, value in run.config.items() if name in SECTIONS}) for run in runs.values()]
    differing = [key for key in configs[0] if len({str(config.get(key)) for config in configs}) > 1]
    rows = [[key.replace(".", ".\n"), *(str(config.get(key)) for config in configs)] for key in differing]
    axes.axis("off")
    names = [textwrap.fill(name, 12) for name in runs]
    widths = [0.31, *([0.23] * len(runs))]
    drawn = axes.table(rows, colLabels=["differs", *names], colWidths=widths, loc="upper center", cellLoc="left")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(SMALL)
    drawn.scale(1, 2.6)


SECTIONS = ("data", "model", "loss", "optimizer", "scheduler", "trainer", "seed")


def media_browser(axes: Axes, panel: Any, runs: Records) -> None:
    """The pictures of the first run, twelve at most, in rows."""
    run = next(iter(runs.values()))
    paths = [path for key in panel.media_keys for path in logged_pictures(run, key)][:12]
    pictures = [row_picture(path) for path in paths]
    across = 2 if len(pictures) == 2 else 6
    rows = [np.concatenate(pictures[start : start + across], axis=1) for start in range(0, len(pictures), across)]
    axes.axis("off")
    axes.imshow(np.concatenate([row for row in rows if row.shape == rows[0].shape], axis=0))


def row_picture(path: Path, height: int = 320) -> np.ndarray:
    """`[height, W, 3]` pixels in the picture's own proportions."""
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize((round(opened.width * height / opened.height), height)))


def logged_pictures(run: OfflineRun, key: str) -> list[Path]:
    """The files behind a picture or a list of pictures in the history."""
    (found,) = run.values(key)
    return [run.media / name for name in found.get("filenames", [found.get("path")])]


DRAWERS: dict[str, Draw] = {
    "LinePlot": line_plot,
    "BarPlot": bar_plot,
    "ParallelCoordinatesPlot": parallel_coordinates,
    "RunComparer": run_comparer,
    "MediaBrowser": media_browser,
}


def draw(panels: Sequence[Any], runs: Records, path: Path) -> None:
    rows = -(-len(panels) // COLUMNS)
    with picture(path, 4.6 * COLUMNS, 3.1 * rows) as figure:
        every = figure.subplots(rows, COLUMNS).ravel()
        for axes, panel in zip(every, panels, strict=False):
            DRAWERS[type(panel).__name__](axes, panel, runs)
            axes.set_title(getattr(panel, "title", None) or "Run comparer")
        for axes in every[len(panels) :]:
            axes.axis("off")
        lines = [Line2D([], [], color=colour, linewidth=6) for _, colour in zip(runs, COLOURS, strict=True)]
        legend = figure.legend(lines, list(runs), loc="outside upper left", ncols=len(runs), title=NOTE, frameon=False)
        legend.get_title().set_color(MUTED)


def main() -> None:
    folders = {
        name: train("tracking", str(number), [*COMMON, *overrides])
        for number, (name, overrides) in enumerate(RUNS.items())
    }
    runs = {name: offline_runs(folder)[-1] for name, folder in folders.items()}
    sections = build_workspace("me", "animeid", "animeid").sections
    draw([panel for section in sections for panel in section.panels], runs, HERE / "panels.png")
    rows = [
        [
            name,
            run.run.run_id,
            str(run.exit_code),
            str(len(run.history)),
            str(len(run.artifacts)),
            f"{run.summary['test/f1_macro']:.3f}",
        ]
        for name, run in runs.items()
    ]
    header = ["run", "id", "exit code", "history rows", "artifacts", "test/f1_macro"]
    kinds = [
        [section.name, type(panel).__name__, getattr(panel, "title", None) or ""]
        for section in sections
        for panel in section.panels
    ]
    text = f"""# Tracking

`python -m experiments.tracking.study` writes this page: three short runs on a small built-in cast with
`logger=wandb logger.mode=offline`, read back from the `.wandb` files that `wandb sync` would send.
{environment_line(next(iter(folders.values())))}

{table(header, rows)}

The figures say that tracking works, not how good a model is: the runs are far too short for that.

## The dashboard

`python -m animeid.dashboard entity=ME project=animeid` makes these panels in W&B
(`output=dashboard.json` writes their specification instead):

{table(["section", "panel", "title"], kinds)}

The picture is drawn **from the offline runs above, by matplotlib, not by W&B**; it shows which values stand behind each
panel.

![the panels, drawn from offline runs](panels.png)
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
