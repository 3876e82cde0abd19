"""The summary of a multirun as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from animeid.multirun.outcome import Outcome
from animeid.multirun.record import Job
from animeid.runs.folder import OUTPUTS
from animeid.system.console import align, counted
from animeid.system.progress import clock

MISSING = "-"
RANKING = (
    "ranked by val/f1_macro; test figures stand beside it, and nothing is chosen by them; "
    "± is the sample standard deviation over seeds"
)
SEVERAL_SETS = (
    "the jobs were not all judged on the same pictures: figures and ranks can be compared within one number of the "
    "column 'pictures' only"
)


def render(
    path: Path, rows: Sequence[Mapping[str, Any]], found: Sequence[tuple[Job, Outcome]], keys: Sequence[str]
) -> str:
    """A table with a line a row, what it means, and the jobs that have no figures.

    Args:
        path: the multirun's folder.
        rows: the lines of `summary.csv`.
        found: every job with its outcome.
        keys: what names a job: the overrides in which the jobs differ.
    """
    columns = _columns(rows)
    lines = ["", *align([columns, *([_cell(row, name) for name in columns] for row in rows)])]
    lines += [RANKING, *([SEVERAL_SETS] if "pictures" in columns else [])]
    lines += [
        f"job {job.number} ({job.describe(keys)}) {'crashed' if state.has_crashed else 'failed'}: {state.error}"
        for job, state in found
        if state.state == "failed"
    ]
    for what in ("not finished", "not begun"):
        numbers = [str(job.number) for job, state in found if state.state == what]
        lines += [f"{what}: job {', '.join(numbers)}"] if numbers else []
    finished = sum(state.is_finished for _, state in found)
    lines.append(
        f"{finished} of {counted(len(found), 'job', 'are')} finished"
        + ("" if finished == len(found) else _how_to_go_on(path))
    )
    return "\n".join([*lines, f"multirun folder: {path}"])


def _how_to_go_on(path: Path) -> str:
    name = path.relative_to(OUTPUTS)
    key = f"run_id={name}" if len(name.parts) == 1 else f"hydra.sweep.dir={path}"
    return f"; the same command with {key} does the others, and resume=auto goes on with those that were cut off"


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Without spreads, which stand beside their means, and `without_figures` where every job has figures."""
    names = list(rows[0]) if rows else []
    is_whole = not any(row["without_figures"] for row in rows)
    return [name for name in names if not name.endswith("_std") and not (is_whole and name == "without_figures")]


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return MISSING
    if name == "train_s":
        return clock(value)
    if name == "params":
        return f"{value:,.0f}"
    if isinstance(value, float):
        return with_spread(value, row.get(f"{name}_std"))
    return str(value)


def with_spread(mean: float, spread: float | None) -> str:
    """`0.550 ± 0.071`."""
    return f"{mean:.3f}" + (f" ± {spread:.3f}" if spread is not None else "")
