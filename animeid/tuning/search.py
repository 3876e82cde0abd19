"""The trials of a search, in a file that several processes share and that outlives each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from animeid.errors import InputError
from animeid.lock import lock
from animeid.tuning.space import Dimension, grid_of

STORE = "trials.db"
NAME = "animeid"
LOCKS = ".locks"
SETTINGS = "settings"
FOLDER = "folder"
"""The attribute of a trial with the number of its folder: a trial that goes on after a kill has another number."""
ERROR = "error"
"""That with the sentence of a trial that failed; one that failed without it was killed, and another goes on with it."""

Method = Literal["tpe", "random", "grid"]

optuna.logging.set_verbosity(optuna.logging.WARNING)

SEEDS_APART = 1_000_003
STARTUP_TRIALS = 5
"""So many trials run to their end before any is cut short, as the median of fewer says little."""


@dataclass(frozen=True)
class Begun:
    """A trial of this process, and the values that it tries."""

    trial: Trial
    folder: int
    values: dict[str, str]


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
        store = path / STORE
        if path.exists() and not store.is_file() and any(not item.name.startswith(".") for item in path.iterdir()):
            raise InputError(
                f"{path} exists already and is no search's folder ({STORE} is missing): choose another run_id"
            )
        path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self.study = optuna.create_study(
                study_name=NAME,
                storage=optuna.storages.RDBStorage(
                    f"sqlite:///{store}", engine_kwargs={"connect_args": {"timeout": 60}}
                ),
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, 1) if prunes else optuna.pruners.NopPruner(),
            )
            self._check(dict(settings))
            if method == "grid":
                for values in grid_of(space):
                    self.study.enqueue_trial(values, skip_if_exists=True)

    def _check(self, settings: dict[str, Any]) -> None:
        """Raises:
        InputError: the search was begun with other settings.
        """
        asked = json.loads(json.dumps(settings, default=str))
        known = self.study.user_attrs.get(SETTINGS)
        if known is None:
            self.study.set_user_attr(SETTINGS, asked)
        elif known != asked:
            other = sorted(key for key in known.keys() | asked.keys() if known.get(key) != asked.get(key))
            raise InputError(
                f"{self.path} is a search with another {other[0]}, so that its trials cannot be compared: choose "
                "another run_id, or give what it was begun with"
            )

    def limit(self, trials: int) -> int:
        """How many trials there will be: those of the grid, or so many as are asked for."""
        return len(grid_of(self.space)) if self.method == "grid" else trials

    @contextmanager
    def next(self, trials: int) -> Iterator[Begun | None]:
        """The next trial, which no other process takes while the block runs; None when all have begun."""
        with ExitStack() as held:
            with self._locked():
                self._reap()
                begun = self._ask(held) if self._number() < trials else None
            yield begun

    def _ask(self, held: ExitStack) -> Begun:
        # By its number: no process and no later call draws the values of another.
        self.study.sampler = sampler(self.method, (self.seed * SEEDS_APART + len(self.trials())) % 2**32)
        trial = self.study.ask()
        folder = int(trial.user_attrs.get(FOLDER, trial.number))
        trial.set_user_attr(FOLDER, folder)
        held.enter_context(lock(self._lock_file(trial.number), f"trial {trial.number} of {self.path}"))
        return Begun(trial, folder, {dimension.key: dimension.suggest(trial) for dimension in self.space})

    def _number(self) -> int:
        """Trials that have begun, those excepted that another one goes on with."""
        return sum(trial.state != TrialState.WAITING and not was_killed(trial) for trial in self.trials())

    def _reap(self) -> None:
        """Has trials whose process has died gone on with: their locks are free."""
        for trial in self.trials():
            if trial.state == TrialState.RUNNING and self._is_free(trial.number):
                self.study.tell(trial.number, state=TrialState.FAIL)
                self.study.enqueue_trial(trial.params, user_attrs={FOLDER: trial.user_attrs.get(FOLDER, trial.number)})

    def _is_free(self, number: int) -> bool:
        try:
            with lock(self._lock_file(number), ""):
                return True
        except InputError:
            return False

    def trials(self) -> list[FrozenTrial]:
        """All that any process has begun or will begin."""
        return self.study.get_trials(deepcopy=False)

    def finished(self) -> list[FrozenTrial]:
        """Trials that have a figure, the best first."""
        found = [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]
        return sorted(found, key=lambda trial: (-float(trial.value or 0.0), trial.number))

    def _locked(self) -> Any:
        return lock(self._lock_file("search"), f"{self.path / STORE}", waits=True)

    def _lock_file(self, name: int | str) -> Path:
        return self.path / LOCKS / str(name)


def was_killed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and ERROR not in trial.user_attrs


def sampler(method: Method, seed: int) -> optuna.samplers.BaseSampler:
    """The grid's values are told beforehand, so that its sampler has nothing to choose."""
    if method == "tpe":
        # Trials that run elsewhere count as bad ones, so that no two processes try the same.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)
