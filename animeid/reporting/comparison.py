"""Several runs on one page, each compared with the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from animeid.html.render import render, write_page
from animeid.html.thumbnails import Chart
from animeid.metrics.paired import Difference, Metric, paired_difference
from animeid.plots.comparison import draw_curves_of_runs
from animeid.reporting.glossary import FIGURES as WORDS
from animeid.reporting.wording import cost_rows, with_interval
from animeid.runs.comparison import common_order
from animeid.runs.find import find_runs
from animeid.runs.finished import FinishedRun
from animeid.runs.identity import changes_result, leaves

TEMPLATE = Path(__file__).with_name("templates") / "runs.html.j2"

FIGURES = ("f1_macro", "acc_macro", "acc_micro", "many/acc_macro", "medium/acc_macro", "few/acc_macro", "top5")
COMPARED: tuple[Metric, ...] = ("f1_macro", "acc_macro", "acc_micro")


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
    plans = [dict(leaves({key: part for key, part in run.plan.items() if key != "facts"})) for run in runs]
    keys = sorted(set().union(*plans))
    rows = [[key, *(str(plan.get(key, "–")) for plan in plans)] for key in keys if changes_result(key)]
    return {"rows": [row for row in rows if len(set(row[1:])) > 1]}


def write_comparison(pattern: str, path: Path) -> Path:
    """Writes the page and returns where it is.

    Raises:
        InputError: see `find_runs`.
    """
    runs = find_runs(pattern)
    names = short_names([run.folder.path for run in runs])
    found = [differences(runs[0], other) for other in runs[1:]]
    values = {
        "title": f"{len(runs)} runs",
        "names": names,
        "part": runs[0].part,
        "words": WORDS,
        "support": f"{runs[0].judged['support']:,} pictures in {runs[0].judged['groups']:,} groups",
        "figures": [[name, *(with_interval(run.judged, name) for run in runs)] for name in FIGURES],
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
    histories = {name: run.history for name, run in runs.items() if run.history is not None}
    if not histories:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "curves.png"
        draw_curves_of_runs(histories, path)
        return Chart.of(path)


def short_names(paths: Sequence[Path]) -> list[str]:
    """What tells the folders apart: their names, with as many parents as are needed."""
    parts = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
