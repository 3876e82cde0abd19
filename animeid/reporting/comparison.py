"""Several runs on one page, each compared with the first."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from animeid.errors import InputError
from animeid.html.render import render, write_page
from animeid.html.thumbnails import file_as_uri
from animeid.metrics.paired import Difference, Metric, paired_bootstrap
from animeid.plots.curves import draw_curves_of_runs
from animeid.reporting.wording import cost_rows, with_interval
from animeid.runs.finished import Saved
from animeid.runs.folder import RunFolder
from animeid.runs.identity import leaves
from animeid.system.console import say

TEMPLATE = Path(__file__).with_name("templates") / "runs.html.j2"

FIGURES = ("f1_macro", "acc_macro", "acc_micro", "many/acc_macro", "medium/acc_macro", "few/acc_macro", "top5")
COMPARED: tuple[Metric, ...] = ("f1_macro", "acc_macro", "acc_micro")
SAME_FOR_ALL = ("run_id", "resume", "logger", "data.num_workers", "data.cache")


def find_runs(pattern: str) -> list[Saved]:
    """The finished runs that a pattern, or several with colons between them, means; in the order of the patterns.

    Raises:
        InputError: there are fewer than two, or they were not judged on the same pictures.
    """
    given = [piece for piece in pattern.split(":") if piece]
    found = [Path(path) for piece in given for path in sorted(glob.glob(piece))]  # noqa: PTH207
    finished = [path for path in found if RunFolder(path).is_finished]
    paths = [path for path in finished if RunFolder(path).config.is_file()]
    if others := [str(path) for path in finished if path not in paths]:
        say(f"left out, as no training run made them: {', '.join(others)}")
    if len(paths) < 2:
        raise InputError(f"runs={pattern} finds {len(paths)} finished runs: give a quoted pattern that finds several")
    runs = [Saved.of(RunFolder.open(path)) for path in dict.fromkeys(paths)]
    first = judged(runs[0])
    for other in runs[1:]:
        if other.part != runs[0].part or not judged(other).equals(first):
            raise InputError(
                f"{other.folder.path} was judged on other {runs[0].part} pictures than {runs[0].folder.path}, so that "
                "their figures cannot be compared: give runs of the same data, split_seed and fold"
            )
    return runs


def judged(saved: Saved) -> pd.DataFrame:
    """Content and class of each picture of the judged part, in the order of its content."""
    rows = saved.predictions.iloc[saved.positions]
    table = pd.DataFrame(
        {
            "sha256": saved.manifest.table["sha256"].to_numpy()[rows["row"].to_numpy()],
            "label": rows["label"].to_numpy(),
            "path": rows["path"].to_numpy(),
        }
    )
    return table.sort_values(["sha256", "path"], ignore_index=True).drop(columns="path")


def differences(first: Saved, other: Saved) -> dict[Metric, Difference]:
    """By how much `other` exceeds `first`, on the same pictures, by resampling groups."""
    ours, theirs = _answers(first), _answers(other)
    labels = sorted(set(first.labels) | set(other.labels))
    number = {label: place for place, label in enumerate(labels)}
    targets, mine, others = (
        column.map(number).to_numpy(np.int64) for column in (ours["label"], ours["predicted"], theirs["predicted"])
    )
    return {
        metric: paired_bootstrap(targets, ours["group"].to_numpy(str), others, mine, len(labels), metric=metric)
        for metric in COMPARED
    }


def _answers(saved: Saved) -> pd.DataFrame:
    rows = saved.predictions.iloc[saved.positions]
    sha256 = saved.manifest.table["sha256"].to_numpy()[rows["row"].to_numpy()]
    return rows.assign(sha256=sha256).sort_values(["sha256", "path"], ignore_index=True)


def in_words(found: Difference) -> str:
    """`+3.1 points (+0.4 to +5.9), p 0.02`."""
    text = f"{100 * found.difference:+.1f} points"
    if found.low is None or found.high is None or found.p is None:
        return text
    return f"{text} ({100 * found.low:+.1f} to {100 * found.high:+.1f}), p {found.p:.3f}"


def settings(runs: Sequence[Saved]) -> dict[str, Any]:
    """The keys of the plans in which the runs differ, with the value of each run."""
    plans = [dict(leaves({key: part for key, part in saved.plan.items() if key != "facts"})) for saved in runs]
    keys = sorted(set().union(*plans))
    rows = [[key, *(str(plan.get(key, "–")) for plan in plans)] for key in keys if not key.startswith(SAME_FOR_ALL)]
    return {"rows": [row for row in rows if len(set(row[1:])) > 1]}


def write_comparison(pattern: str, path: Path) -> Path:
    """Writes the page and returns where it is.

    Raises:
        InputError: see `find_runs`.
    """
    runs = find_runs(pattern)
    names = short_names([saved.folder.path for saved in runs])
    curves = path.with_suffix(".png")
    trained = [(name, saved.folder) for name, saved in zip(names, runs, strict=True) if saved.folder.was_trained]
    draw_curves_of_runs({name: pd.read_csv(folder.history) for name, folder in trained}, curves)
    found = [differences(runs[0], other) for other in runs[1:]]
    values = {
        "title": f"{len(runs)} runs",
        "names": names,
        "part": runs[0].part,
        "support": f"{runs[0].judged['support']:,} pictures in {runs[0].judged['groups']:,} groups",
        "figures": [[name, *(with_interval(saved.judged, name) for saved in runs)] for name in FIGURES],
        "differences": [[metric, *(in_words(one[metric]) for one in found)] for metric in COMPARED],
        "cost": [
            [rows[0][0], *(value for _, value in rows)]
            for rows in zip(*(cost_rows(saved.metrics["cost"]) for saved in runs), strict=True)
        ],
        "settings": settings(runs),
        "curves": file_as_uri(curves),
    }
    curves.unlink()
    write_page(path, render(TEMPLATE, values))
    return path


def short_names(paths: Sequence[Path]) -> list[str]:
    """What tells the folders apart: their names, with as many parents as are needed."""
    parts = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
