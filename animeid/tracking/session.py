"""A run under the eyes of its trackers, from before training until its results are logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from lightning.pytorch.utilities import rank_zero_only

from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.tracking.results import Results, read_results


def is_first_process() -> bool:
    """Whether this process is the one that logs."""
    return rank_zero_only.rank == 0  # type: ignore[attr-defined]


@runtime_checkable
class Tracker(Protocol):
    """A logger that keeps results as well as training figures."""

    def start(self) -> None:
        """Opens the record; what was asked for is in the run's folder already."""

    def log_results(self, results: Results) -> None:
        """Logs what the finished run found."""

    def close(self, exit_code: int) -> None:
        """Ends the record; `exit_code` is 0 for a run that finished."""


@contextmanager
def tracked(loggers: Sequence[Any], folder: RunFolder) -> Iterator[None]:
    """Starts the trackers among the loggers, logs what the block left in the run's folder, and closes them.

    Also when the block fails: the jobs of a multirun share a process, and none may end in another's record.
    """
    trackers = [logger for logger in loggers if isinstance(logger, Tracker)] if is_first_process() else []
    exit_code = 1
    try:
        for tracker in trackers:
            tracker.start()
        yield
        if trackers:
            results = read_results(FinishedRun(folder))
            for tracker in trackers:
                tracker.log_results(results)
        exit_code = 0
    finally:
        for tracker in trackers:
            tracker.close(exit_code)
