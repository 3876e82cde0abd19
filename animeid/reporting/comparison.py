"""Several runs on one page, each compared with the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from animeid.html.render import render, write_page
from animeid.html.thumbnails import Chart
from animeid.metrics.paired import Difference, Metric, paired_difference
from animeid.multirun.summary import mean_and_spread
from animeid.plots.comparison import draw_curves_of_runs
from animeid.reporting.glossary import FIGURES as WORDS
from animeid.reporting.wording import cost_rows, percent, with_interval
from animeid.runs.comparison import common_order
from animeid.runs.find import find_runs
from animeid.runs.finished import FinishedRun
from animeid.runs.identity import changes_result, leaves, result_keys
from animeid.runs.names import home_of, names_of
from animeid.system.console import counted

TEMPLATE = Path(__file__).with_name("templates") / "runs.html.j2"

FIGURES = ("f1_macro", "acc_macro", "acc_micro", "many/acc_macro", "medium/acc_macro", "few/acc_macro", "top5")
PAGE = "comparison.html"
COMPARED: tuple[Metric, ...] = ("f1_macro", "acc_macro", "acc_micro")
TOLD = ("facts", "choices", "recipe", "effort")
"""Nodes of a plan that tell how the others came about."""


def differences(first: FinishedRun, other: FinishedRun) -> dict[Metric, Difference]:
    """By how much `other` exceeds `first`, on the same pictures."""
    ours, theirs = (run.predictions.iloc[common_order(run)] for run in (first, other))
    targets, groups = ours["target"].to_numpy(), ours["group"].to_numpy(str)
    return {
        metric: paired_difference(
            targets, groups, theirs["answer"].to_numpy(), ours["answer"].to_numpy(), len(first.labels), metric=metric
        )
        for metric in COMPARED
    }


def in_words(found: Difference) -> str:
    """`+3.1 points (+0.4 to +5.9), p 0.02`."""
    text = f"{100 * found.difference:+.1f} points"
    if found.low is None or found.high is None or found.p is None:
        return text
    return f"{text} ({100 * found.low:+.1f} to {100 * found.high:+.1f}), p {found.p:.3f}"


def settings(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """The keys of the plans in which the runs differ, with the value of each run."""
    plans = [dict(leaves({key: part for key, part in run.plan.items() if key not in TOLD})) for run in runs]
    keys = sorted(set().union(*plans))
    rows = [[key, *(str(plan.get(key, "–")) for plan in plans)] for key in keys if changes_result(key)]
    return {"rows": [row for row in rows if len(set(row[1:])) > 1]}


def over_seeds(runs: Sequence[FinishedRun]) -> list[tuple[FinishedRun, ...]]:
    """The runs in groups that differ in their seed alone, in the order of their first."""
    groups: dict[str, list[FinishedRun]] = {}
    for run in runs:
        wanted = {key: value for key, value in result_keys(run.request).items() if key != "seed"}
        groups.setdefault(str(sorted(wanted.items())), []).append(run)
    return [tuple(group) for group in groups.values()]


def means(runs: Sequence[FinishedRun], names: Sequence[str]) -> dict[str, Any]:
    """A column for each group of runs that differ in their seed alone; empty where there is no such group."""
    groups = over_seeds(runs)
    if len(groups) == len(runs):
        return {}
    first = {id(run): name for run, name in zip(runs, names, strict=True)}
    rows = [[name, *(_mean([run.judged.get(name) for run in group]) for group in groups)] for name in FIGURES]
    return {"names": [without_seed([first[id(run)] for run in group]) for group in groups], "rows": rows}


def without_seed(names: Sequence[str]) -> str:
    """The name of runs that differ in their seed alone: what is left of theirs without it."""
    words = [" ".join(word for word in name.split() if not word.startswith("seed=")) for name in names]
    return f"{', '.join(dict.fromkeys(words)) or 'all'} ({counted(len(names), 'seed')})"


def _mean(values: Sequence[float | None]) -> str:
    mean, spread = mean_and_spread(values)
    return percent(mean) + ("" if spread is None else f" ± {100 * spread:.1f}")


def write_comparison(pattern: str, path: Path | None = None) -> Path:
    """Writes the page and returns where it is: beside the runs unless told otherwise.

    Raises:
        InputError: see `find_runs`.
    """
    runs = find_runs(pattern)
    folders = [run.folder.path for run in runs]
    path, names = path or home_of(folders) / PAGE, names_of(folders)
    found = [differences(runs[0], other) for other in runs[1:]]
    values = {
        "title": f"{len(runs)} runs",
        "names": names,
        "part": runs[0].part,
        "twins": [name for name, run in zip(names, runs, strict=True) if run.refit and run.part == "val"],
        "words": WORDS,
        "support": f"{counted(runs[0].judged['support'], 'picture')} in {counted(runs[0].judged['groups'], 'group')}",
        "figures": [[name, *(with_interval(run.judged, name) for run in runs)] for name in FIGURES],
        "means": means(runs, names),
        "differences": [[metric, *(in_words(one[metric]) for one in found)] for metric in COMPARED],
        "cost": [
            [rows[0][0], *(value for _, value in rows)]
            for rows in zip(*(cost_rows(run.metrics["cost"]) for run in runs), strict=True)
        ],
        "settings": settings(runs),
        "curves": _curves(dict(zip(names, runs, strict=True))),
    }
    write_page(path, render(TEMPLATE, values))
    return path


def _curves(runs: Mapping[str, FinishedRun]) -> Chart | None:
    """The learning curves as a picture of the page; None where none of the runs trained anything."""
    # Of a refit its twin alone has figures of validation.
    trained = {name: run.twin or run for name, run in runs.items()}
    histories = {name: run.history for name, run in trained.items() if run.history is not None}
    if not histories:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "curves.png"
        draw_curves_of_runs(histories, path)
        return Chart.of(path)
