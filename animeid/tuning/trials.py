"""Trials: what each trains with, and what came of it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from optuna import TrialPruned
from optuna.trial import TrialState

from animeid.errors import MachineError, PeerFailedError
from animeid.multirun.outcome import sentence_of, write_error
from animeid.runs.cleaning import keep_weights_only
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.system.console import say
from animeid.system.progress import clock
from animeid.training.run import train
from animeid.tuning.pruning import Reporting
from animeid.tuning.search import ERROR, LOST, RunningTrial, Search

Compose = Callable[[str, Sequence[str]], dict[str, Any]]
"""A command and its arguments to its checked request."""


@dataclass(frozen=True)
class Training:
    """How trials are trained.

    arguments: of each of them. hydra: options of Hydra's own that they need. compose: makes a request of arguments.
    """

    arguments: Sequence[str]
    hydra: Sequence[str]
    compose: Compose

    def request(self, *changes: str) -> dict[str, Any]:
        return self.compose("train", [*self.arguments, *changes])

    def command(self, changes: Sequence[str]) -> str:
        return shlex.join(["python", "-m", "animeid.train", *self.hydra, *self.arguments, *changes])


def try_all(search: Search, limit: int, training: Training) -> None:
    """Does trials until all have begun, here or elsewhere."""
    seconds: list[float] = []
    while True:
        with search.next(limit) as begun:
            if begun is None:
                return
            say(title(begun, search, limit, seconds))
            start = time.monotonic()
            do_trial(search, begun, training)
            seconds.append(time.monotonic() - start)


def title(begun: RunningTrial, search: Search, limit: int, seconds: Sequence[float]) -> str:
    what = " ".join(f"{key}={value}" for key, value in begun.values.items())
    finished = search.finished()
    best = f", best until now {finished[0].value:.3f}" if finished else ""
    done = sum(trial.state.is_finished() for trial in search.shown())
    left = f", about {clock(max(limit - done, 1) * sum(seconds) / len(seconds))} left" if seconds else ""
    return f"trial {begun.trial.number}: {what}{best}{left}"


def do_trial(search: Search, begun: RunningTrial, training: Training) -> None:
    """Trains with the trial's values and writes down what came of it.

    A signal and a fault of the machine leave it to be gone on with by the same command; so does a fault in another
    process of the run, whose kind is not known here, but once only: a trial whose values are at fault must not end the
    search for ever.
    """
    folder = RunFolder(search.path / str(begun.folder))
    name = folder.path.relative_to(OUTPUTS).as_posix()
    # What explains a run is made for the best one alone, at the search's end.
    fixed = {"run_id": name, "resume": "auto", "test": False, "embeddings": "off"}
    try:
        request = training.request(*(f"{key}={value}" for key, value in begun.values.items()))
        data = {**request["data"], "refit": False}  # trials are compared by validation
        value = train(
            {**request, **fixed, "data": data}, callbacks=[Reporting(begun.trial, begun.reported)], report=False
        )
    except TrialPruned as pruned:
        say(f"trial {begun.trial.number} was {pruned}")
        keep_weights_only(folder)
        search.study.tell(begun.trial, state=TrialState.PRUNED)
    except MachineError:
        raise
    except PeerFailedError as error:
        if not search.lost_before(begun):
            begun.trial.set_user_attr(LOST, True)
            raise
        fail(search, begun, folder, error)
    except Exception as error:
        fail(search, begun, folder, error)
    else:
        assert value is not None, "training refuses a trial without a validation part before it begins"
        search.study.tell(begun.trial, value)


def fail(search: Search, begun: RunningTrial, folder: RunFolder, error: Exception) -> None:
    """Writes down why a trial failed: settings that cannot be trained do not stop the others."""
    file = write_error(folder, error)
    begun.trial.set_user_attr(ERROR, sentence_of(error))
    search.study.tell(begun.trial, state=TrialState.FAIL)
    say(f"trial {begun.trial.number} failed: {sentence_of(error)}; see {file}")
