"""The figures of a multirun's jobs side by side: mean and spread over seeds, ranked by validation."""

from __future__ import annotations

import csv
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from animeid.multirun.outcome import Outcome, outcome
from animeid.multirun.record import Job, Multirun, differing
from animeid.multirun.table import render
from animeid.runs.comparison import recorded_basis
from animeid.system.files import atomic

FIGURES = (("val", "f1_macro"), ("val", "acc_macro"), ("test", "f1_macro"), ("test", "acc_macro"))
COST = ("train_s", "params")
RANKED_BY = "val/f1_macro"

Found = tuple[Job, Outcome]


def write_summary(multirun: Multirun) -> str:
    """Writes `summary.csv` and `jobs.csv` into the multirun's folder, and returns the summary as text."""
    found = [(job, outcome(job.folder)) for job in multirun.jobs()]
    keys = differing([job for job, _ in found])
    rows = summarise(found, [key for key in keys if key != "seed"])
    write_csv(multirun.path / "summary.csv", rows)
    write_csv(multirun.path / "jobs.csv", [job_row(job, state, keys) for job, state in found])
    return render(multirun.path, rows, found, keys)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with atomic(path, "w") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def job_row(job: Job, found: Outcome, keys: Sequence[str]) -> dict[str, Any]:
    """A line of `jobs.csv`."""
    return {
        "job": job.number,
        "state": found.state,
        **{key: job.value(key) for key in keys},
        **{f"{part}/{name}": found.figure(part, name) for part, name in FIGURES},
        **{name: found.figure("cost", name) for name in COST},
        "error": found.error,
    }


def summarise(found: Sequence[Found], keys: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of `summary.csv`, best first: jobs that differ only in their seed are one.

    Runs that were judged on other pictures or classes cannot be compared. `pictures` numbers the sets of validation and
    test pictures, and ranks hold within one; the column is there only where there are several. Likewise jobs of one
    configuration are two lines where the training pictures changed between two calls.

    Args:
        keys: the overrides in which the jobs differ, without `seed`.
    """
    sets = list(dict.fromkeys(recorded_basis(state.run) for _, state in found if state.run))
    rows = [_row(jobs, keys, sets) for group in _by(found, _config) for jobs in _by_pictures(group)]
    ranked = sorted(rows, key=lambda row: (row["pictures"] or len(sets) + 1, -_known(row[RANKED_BY], -1.0)))
    ranks: dict[int | None, int] = {}
    for row in ranked:
        if row[RANKED_BY] is not None:
            row["val_rank"] = ranks[row["pictures"]] = ranks.get(row["pictures"], 0) + 1
    if len(sets) < 2:
        for row in ranked:
            del row["pictures"]
    return ranked


def _config(found: Found) -> str:
    return found[0].asked.config


def _pictures(found: Found) -> Hashable:
    """What a finished job was judged on, and all of its pictures."""
    run = found[1].run
    return None if run is None else (recorded_basis(run), run.environment.get("data_fingerprint"))


def _by(found: Sequence[Found], key: Callable[[Found], Hashable]) -> list[list[Found]]:
    groups: dict[Hashable, list[Found]] = {}
    for item in found:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _by_pictures(group: Sequence[Found]) -> list[list[Found]]:
    """The jobs of one configuration apart by their pictures; those without figures go with the first."""
    finished = _by([item for item in group if item[1].is_finished], _pictures) or [[]]
    finished[0] += [item for item in group if not item[1].is_finished]
    return finished


def _row(group: Sequence[Found], keys: Sequence[str], sets: Sequence[Hashable]) -> dict[str, Any]:
    runs = [state.run for _, state in group if state.run]
    row: dict[str, Any] = {
        "val_rank": None,
        "pictures": sets.index(recorded_basis(runs[0])) + 1 if runs else None,
        **{key: group[0][0].value(key) for key in keys},
        "seeds": len(runs),
        "without_figures": len(group) - len(runs),
    }
    for part, name in FIGURES:
        values = [run.figure(part, name) for run in runs]
        row[f"{part}/{name}"], row[f"{part}/{name}_std"] = mean_and_spread(values)
    for name in COST:
        row[name], _ = mean_and_spread([run.figure("cost", name) for run in runs])
    return {**row, "jobs": " ".join(str(job.number) for job, _ in group)}


def mean_and_spread(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation (n - 1); None where a value is missing, no spread of fewer than two."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None, None
    return fmean(known), stdev(known) if len(known) > 1 else None


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
