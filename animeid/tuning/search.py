"""The trials of a search, in a file that several processes share and that outlives each of them."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from animeid.metrics.ranking import DECIMALS, standing
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import SEARCH_STORE, RunFolder
from animeid.system.console import say
from animeid.system.lock import lock, lock_file, state_of
from animeid.tuning.choosing import Method, pruner, sampler
from animeid.tuning.space import Dimension, combinations, grid_of
from animeid.tuning.store import check_folder, open_study

FOLDER = "folder"
"""The attribute of a trial with the number of its folder: a trial that goes on after a kill has another number."""
ERROR = "error"
"""That with the sentence of a trial that failed; one that failed without it is void: it was killed, and another goes on
with it, or it would have repeated another's values."""
GOES_ON = "goes_on"
"""That with the number of the trial that was killed."""
LOST = "lost"
"""That of a trial that ended because another process of its run failed."""
TESTED = "tested"
"""The study's attribute with the folder of the trial whose model was judged on the test part."""

optuna.logging.set_verbosity(optuna.logging.WARNING)

SEEDS_APART = 1_000_003
DRAWS = 20
"""So often values are drawn that were tried before, until some that were not are taken in their order."""
POLL_S = 1.0


@dataclass(frozen=True)
class RunningTrial:
    """A trial of this process.

    folder: of its run. values: that it tries, as they are written on the command line. reported: epochs whose figure it
    has from the trial that it goes on with.
    """

    trial: Trial
    folder: int
    values: dict[str, str]
    reported: frozenset[int]


class Search:
    """A search's folder.

    Args:
        path: of the folder.
        space: what is tried.
        method: how values are chosen.
        seed: of the choice.
        prunes: whether trials that fall behind are cut short.
        settings: everything else that the figures depend on; another call must ask for the same.

    Raises:
        InputError: the folder holds another search, or something else.
    """

    def __init__(
        self,
        path: Path,
        space: Sequence[Dimension],
        method: Method,
        seed: int,
        *,
        prunes: bool,
        settings: Mapping[str, Any],
    ) -> None:
        self.path, self.space, self.method, self.seed = path, space, method, seed
        first = grid_of(space) if method == "grid" else []
        check_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self.study = open_study(path / SEARCH_STORE, settings, first, pruner(prunes))

    def limit(self, trials: int) -> int:
        """How many trials there will be: those of the grid, or so many as are asked for and can differ."""
        every = combinations(self.space)
        return trials if every is None else every if self.method == "grid" else min(trials, every)

    @contextmanager
    def next(self, trials: int) -> Iterator[RunningTrial | None]:
        """The next trial, which no other process takes while the block runs; None when all have begun."""
        with ExitStack() as held:
            with self._locked():
                self._reap()
                begun = self._begin() if self._number() < trials else None
                if begun is not None:
                    number = begun.trial.number
                    held.enter_context(lock(self._lock_file(number), f"trial {number} of {self.path}"))
            yield begun

    def wait(self) -> bool:
        """Waits for the trials of other processes.

        Returns:
            Whether one is to be gone on with, since its process has died; else none runs any more.
        """
        is_told = False
        while True:
            with self._locked():
                running = [trial.number for trial in self.trials() if trial.state == TrialState.RUNNING]
                if not running or any(map(self._is_left, running)):
                    return bool(running)
            if not is_told:
                say(f"waiting for trials of other processes: {', '.join(map(str, running))}{self._unlocked(running)}")
                is_told = True
            time.sleep(POLL_S)

    def _unlocked(self, running: Sequence[int]) -> str:
        """What to do about a kill where the file system has no locks, which would tell of it."""
        if not any(state_of(self._lock_file(number)) == "unknown" for number in running):
            return ""
        return (
            f"; whether they were killed cannot be told without locks: if so, stop this, move {self.path} to a disk "
            "with locks, a local one for example, and go on there with the same command"
        )

    @contextmanager
    def judged(self, folder: int) -> Iterator[int]:
        """The folder of the trial whose model may read the test part: the first that was asked for, for good."""
        with lock(self._lock_file("test"), f"the test part of {self.path}", waits=True):
            if TESTED not in self.study.user_attrs:
                self.study.set_user_attr(TESTED, folder)
            yield int(self.study.user_attrs[TESTED])

    def reporting(self) -> AbstractContextManager[None]:
        """While this process writes the best trial's report, others wait."""
        return lock(self._lock_file("report"), f"the report of the best trial of {self.path}", waits=True)

    def _begin(self) -> RunningTrial:
        """A trial whose values no other one has: training again what is known would tell nothing."""
        for _ in range(DRAWS):
            begun = self._draw()
            if self._written(begun.trial.params) not in self._tried(begun.trial.number):
                return begun
            self.study.tell(begun.trial, state=TrialState.FAIL)
        self.study.enqueue_trial(self._untried())
        return self._draw()

    def _draw(self) -> RunningTrial:
        # By its number: no process and no later call draws the values of another.
        self.study.sampler = sampler(self.method, (self.seed * SEEDS_APART + len(self.trials())) % 2**32)
        trial = self.study.ask()
        folder = int(trial.user_attrs.get(FOLDER, trial.number))
        trial.set_user_attr(FOLDER, folder)
        values = {dimension.key: dimension.suggest(trial) for dimension in self.space}
        reported = self.trials()[trial.user_attrs[GOES_ON]].intermediate_values if GOES_ON in trial.user_attrs else {}
        for epoch, figure in reported.items():
            trial.report(figure, epoch)
        return RunningTrial(trial, folder, values, frozenset(reported))

    def lost_before(self, begun: RunningTrial) -> bool:
        """Whether the trial that this one goes on with ended because another process of its run failed."""
        before = begun.trial.user_attrs.get(GOES_ON)
        return before is not None and LOST in self.trials()[before].user_attrs

    def _written(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        known = (dimension for dimension in self.space if dimension.key in values)
        return tuple(dimension.written(values[dimension.key]) for dimension in known)

    def _tried(self, but: int | None = None) -> set[tuple[str, ...]]:
        """The values of all trials, or of all but one."""
        others = (trial for trial in self.trials() if trial.number != but and not is_void(trial))
        return {self._written(trial.params) for trial in others}

    def _untried(self) -> dict[str, Any]:
        """The first combination that no trial has; there are fewer trials than combinations."""
        tried = self._tried()
        pairs = ([(one.key, value) for value in one.values() or ()] for one in self.space)
        return next(found for found in map(dict, itertools.product(*pairs)) if self._written(found) not in tried)

    def _number(self) -> int:
        """Trials that have begun."""
        return sum(trial.state != TrialState.WAITING and not is_void(trial) for trial in self.trials())

    def _reap(self) -> None:
        """Has trials whose process has died gone on with: their locks are free.

        A kill in between leaves the trial as it was, and the next call finds what is to go on with it.
        """
        trials = self.trials()
        known = {trial.user_attrs.get(GOES_ON) for trial in trials}
        for trial in trials:
            if trial.state != TrialState.RUNNING or not self._is_left(trial.number):
                continue
            if trial.number not in known:
                # Values that it was to try, where it was killed before it had all of them.
                values = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
                folder = trial.user_attrs.get(FOLDER, trial.number)
                self.study.enqueue_trial(values, user_attrs={FOLDER: folder, GOES_ON: trial.number})
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _is_left(self, number: int) -> bool:
        """Whether a trial that was seen running is one whose process has died.

        A process writes down how its trial ended before it lets go of it, and needs not the search's lock for either:
        what was read before the lock was found free says nothing.
        """
        return state_of(self._lock_file(number)) == "free" and self.trials()[number].state == TrialState.RUNNING

    def trials(self) -> list[FrozenTrial]:
        """All that any process has begun or will begin, by their numbers."""
        return self.study.get_trials(deepcopy=False)

    def shown(self) -> list[FrozenTrial]:
        """Those that are not void."""
        return [trial for trial in self.trials() if not is_void(trial)]

    def finished(self) -> list[FrozenTrial]:
        """Trials that have a figure, the best first; among equals the one with the lower validation loss."""
        found = [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]
        figures = Counter(_figure(trial) for trial in found)
        losses = {trial.number: self._loss(trial) for trial in found if figures[_figure(trial)] > 1}
        return sorted(found, key=lambda trial: standing(_figure(trial), losses.get(trial.number)), reverse=True)

    def _loss(self, trial: FrozenTrial) -> float | None:
        """The validation loss of a finished trial's run; None where its folder is gone."""
        run = FinishedRun(RunFolder(self.path / str(trial.user_attrs.get(FOLDER, trial.number))))
        return run.figure("val", "loss") if run.folder.is_finished else None

    def _locked(self) -> Any:
        return lock(self._lock_file("search"), f"{self.path / SEARCH_STORE}", waits=True)

    def _lock_file(self, name: int | str) -> Path:
        return lock_file(self.path, name)


def _figure(trial: FrozenTrial) -> float:
    return round(float(trial.value or 0.0), DECIMALS)


def is_void(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and ERROR not in trial.user_attrs
