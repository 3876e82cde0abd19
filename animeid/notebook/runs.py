"""Several finished runs that were judged on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from animeid.errors import InputError
from animeid.metrics.table import cell
from animeid.notebook.run import NotebookRun, read_finished
from animeid.plots.contact_sheet import Tile
from animeid.plots.picture import BLUE, ORANGE
from animeid.runs.comparison import check_comparable


def read_comparable(paths: Sequence[str | Path]) -> dict[str, NotebookRun]:
    """The runs by name.

    Raises:
        InputError: there are fewer than two, a name stands twice, or they may not be compared.
    """
    runs = [read_finished(path) for path in paths]
    if len({run.name for run in runs}) < max(len(runs), 2):
        raise InputError(
            f"two or more runs of different names can be compared, not {', '.join(map(str, paths))}: give others"
        )
    check_comparable(runs)
    return {run.name: run for run in runs}


def figures_of_runs(runs: dict[str, NotebookRun]) -> pd.DataFrame:
    """A row a figure, a column a run: `0.716 [0.685, 0.747]`, without the interval where there is none."""
    cells = {name: {figure: cell(run.judged, figure) for figure in run.figures().index} for name, run in runs.items()}
    return pd.DataFrame(cells)


def class_figures(runs: dict[str, NotebookRun], figure: str = "f1") -> pd.DataFrame:
    """A row a class, a column a run: `precision`, `recall` or `f1`."""
    return pd.DataFrame(
        {name: run.class_figures(run.part).set_index("label")[figure].astype(float) for name, run in runs.items()}
    )


def disagreements(runs: dict[str, NotebookRun]) -> pd.DataFrame:
    """Pictures that some runs name rightly and others do not: `path`, `label`, and each run's answer.

    Ordered by how far the runs' probabilities of the true class lie apart, the farthest first.
    """
    tables = {name: run.table.set_index(["path", "sha256"]) for name, run in runs.items()}
    right = pd.DataFrame({name: table["is_right"] for name, table in tables.items()})
    chances = pd.DataFrame({name: table["of_truth"] for name, table in tables.items()})
    first = next(iter(tables.values()))
    said = pd.DataFrame({"label": first["label"], **{name: table["predicted"] for name, table in tables.items()}})
    apart = (chances.max(axis=1) - chances.min(axis=1)).sort_values(ascending=False, kind="stable")
    chosen = apart.index[(right.any(axis=1) & ~right.all(axis=1))[apart.index]]
    return said.loc[chosen].reset_index("path").reset_index(drop=True)


def disagreement_tiles(runs: dict[str, NotebookRun], count: int) -> list[Tile]:
    """The first of them for a contact sheet; blue where the last run is right."""
    rows = disagreements(runs).head(count)
    root, names = next(iter(runs.values())).manifest.root, list(runs)
    return [
        Tile(
            root / row["path"],
            (row["label"], *(f"{name}: {row[name]}" for name in names)),
            BLUE if row[names[-1]] == row["label"] else ORANGE,
        )
        for row in rows.to_dict("records")
    ]
