"""Tables of a search's trials: `trials.csv`, and the best on the terminal."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial

from animeid.system.console import align, say
from animeid.system.files import atomic
from animeid.tuning.search import ERROR, FOLDER, Search
from animeid.tuning.space import Dimension

SHOWN = 10
"""So many of the best trials are listed."""


def write_table(search: Search) -> None:
    """Writes `trials.csv`: a line a trial."""
    columns = ["trial", "folder", "state", "val/f1_macro", "epochs", "seconds"]
    with atomic(search.path / "trials.csv", "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*columns, *(one.key for one in search.space), "error"])
        writer.writerows(row(trial, search.space) for trial in search.shown())


def row(trial: FrozenTrial, space: Sequence[Dimension]) -> list[Any]:
    """A trial's line of `trials.csv`."""
    params, attributes = trial.params, trial.user_attrs
    return [
        trial.number,
        attributes.get(FOLDER, ""),
        trial.state.name.lower(),
        "" if trial.value is None else trial.value,
        len(trial.intermediate_values),
        f"{trial.duration.total_seconds():.0f}" if trial.duration else "",
        *(one.written(params[one.key]) if one.key in params else "" for one in space),
        attributes.get(ERROR, ""),
    ]


def show_best(search: Search) -> None:
    """Prints the best of the trials that have finished, with their values."""
    rows = [
        [str(trial.number), f"{trial.value:.3f}", *(one.written(trial.params[one.key]) for one in search.space)]
        for trial in search.finished()[:SHOWN]
    ]
    say("\n".join(align([["trial", "val/f1_macro", *(one.key for one in search.space)], *rows])))
