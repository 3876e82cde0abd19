"""What `python -m animeid.tune` does."""

from __future__ import annotations

import csv
import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna import TrialPruned
from optuna.trial import TrialState

from animeid.errors import InputError, MachineError
from animeid.evaluation import evaluate
from animeid.folder import OUTPUTS, RunFolder, atomic
from animeid.multirun.outcome import sentence_of, write_error
from animeid.output import check_output
from animeid.progress import clock
from animeid.run import train
from animeid.say import align, say
from animeid.tuning.page import write_page_of
from animeid.tuning.pruning import Reporting
from animeid.tuning.search import ERROR, FOLDER, Begun, Search
from animeid.tuning.space import Dimension, read_space
from animeid.tuning.sweep import write_sweep

SHOWN = 10
"""So many of the best trials are listed."""

Compose = Callable[[str, Sequence[str]], dict[str, Any]]
"""A command and its arguments to its checked request."""


def tune(request: Mapping[str, Any], arguments: Sequence[str], compose: Compose) -> float | None:
    """Tries settings until there are as many trials as are asked for, by all calls and processes together.

    Args:
        request: the command's.
        arguments: those that every trial is trained with.
        compose: makes a request of arguments.

    Returns:
        The best `f1_macro` of validation; None where the search is only written down for W&B.

    Raises:
        InputError: the space has a key or value that training does not take, or every trial failed.
    """
    space = read_space(request["space"])
    check_space(space, arguments, compose)
    if request["output"] is not None:
        output = check_output(request["output"], (".yaml", ".yml"))
        assert output is not None
        settings = {"method": request["method"], "trials": request["trials"], "prunes": request["pruning"]}
        write_sweep(output, space, arguments, **settings)
        say(f"start it with: wandb sweep {output}")
        return None
    path = OUTPUTS / request["run_id"] if request["run_id"] else RunFolder.reserve(None).path
    search = Search(
        path,
        space,
        request["method"],
        request["seed"],
        prunes=request["pruning"],
        settings={"space": request["space"], "arguments": list(arguments), "method": request["method"]},
    )
    limit = search.limit(request["trials"])
    seconds: list[float] = []
    while True:
        with search.next(limit) as begun:
            if begun is None:
                break
            say(title(begun, search, limit, seconds))
            start = time.monotonic()
            do_trial(search, begun, arguments, compose)
            seconds.append(time.monotonic() - start)
    return sum_up(search, arguments, compose if request["test"] else None)


def check_space(space: Sequence[Dimension], arguments: Sequence[str], compose: Compose) -> None:
    """Composes each value of each key once, before anything is trained.

    Raises:
        InputError: training does not take one.
    """
    for dimension in space:
        for value in dimension.ends():
            try:
                compose("train", [*arguments, f"{dimension.key}={value}"])
            except InputError as error:
                raise InputError(f"space.{dimension.key} cannot try {value}: {error}") from error


def title(begun: Begun, search: Search, limit: int, seconds: Sequence[float]) -> str:
    what = " ".join(f"{key}={value}" for key, value in begun.values.items())
    finished = search.finished()
    best = f", best until now {finished[0].value:.3f}" if finished else ""
    done = sum(trial.state.is_finished() for trial in search.trials())
    left = f", about {clock(max(limit - done, 1) * sum(seconds) / len(seconds))} left" if seconds else ""
    return f"trial {begun.trial.number}: {what}{best}{left}"


def do_trial(search: Search, begun: Begun, arguments: Sequence[str], compose: Compose) -> None:
    """Trains with the trial's values and writes down what came of it; a signal leaves it to be gone on with."""
    folder = RunFolder(search.path / str(begun.folder))
    request = compose("train", [*arguments, *(f"{key}={value}" for key, value in begun.values.items())])
    name = folder.path.relative_to(OUTPUTS).as_posix()
    try:
        value = train({**request, "run_id": name, "resume": "auto", "test": False}, callbacks=[Reporting(begun.trial)])
    except TrialPruned as pruned:
        say(f"trial {begun.trial.number} was {pruned}")
        search.study.tell(begun.trial, state=TrialState.PRUNED)
        return
    except Exception as error:
        fail(search, begun, folder, error)
        if isinstance(error, MachineError):
            raise
        return
    if value is None:
        raise InputError("a search ranks by the validation part, and this data has none: add pictures to it")
    search.study.tell(begun.trial, value)


def fail(search: Search, begun: Begun, folder: RunFolder, error: Exception) -> None:
    """Writes down why a trial failed: settings that cannot be trained do not stop the others."""
    begun.trial.set_user_attr(ERROR, sentence_of(error))
    search.study.tell(begun.trial, state=TrialState.FAIL)
    say(f"trial {begun.trial.number} failed: {sentence_of(error)}; see {write_error(folder, error)}")


def sum_up(search: Search, arguments: Sequence[str], compose: Compose | None) -> float:
    """Writes `trials.csv` and `search.html`, says which settings are best, and judges them on test where `compose` is
    given.

    Raises:
        InputError: no trial came to its end.
    """
    finished = search.finished()
    if not finished:
        errors = [trial.user_attrs[ERROR] for trial in search.trials() if ERROR in trial.user_attrs]
        raise InputError(f"no trial came to its end: {errors[0] if errors else 'all were cut short'}")
    write_table(search)
    best = finished[0]
    keys = [dimension.key for dimension in search.space]
    rows = [[str(trial.number), f"{trial.value:.3f}", *(str(trial.params[key]) for key in keys)] for trial in finished]
    say("\n".join(align([["trial", "val/f1_macro", *keys], *rows[:SHOWN]])))
    command = shlex.join(["python", "-m", "animeid.train", *arguments, *(f"{key}={best.params[key]}" for key in keys)])
    page = write_page_of(search, command)
    say(f"the best settings, trained again with\n  {command}")
    if compose is not None:
        judge_on_test(search.path / str(best.user_attrs[FOLDER]), compose)
    say(f"report: {page}\nsearch folder: {search.path}")
    return float(best.value or 0.0)


def judge_on_test(run: Path, compose: Compose) -> None:
    """Reads the test part, once, with the best trial's model."""
    done = run / "evaluations" / "test" / "metrics.json"
    if done.is_file():
        say(f"the test part has been read before: {json.loads(done.read_text())['test']['f1_macro']:.3f} f1_macro")
        return
    evaluate(compose("evaluate", [f"run={run}"]))


def write_table(search: Search) -> None:
    """Writes `trials.csv`: a line a trial."""
    keys = [dimension.key for dimension in search.space]
    with atomic(search.path / "trials.csv", "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["trial", "folder", "state", "val/f1_macro", "epochs", "seconds", *keys, "error"])
        for trial in search.trials():
            lasted = f"{trial.duration.total_seconds():.0f}" if trial.duration else ""
            state = trial.state.name.lower()
            values = [trial.params.get(key, "") for key in keys]
            shown = [trial.number, trial.user_attrs.get(FOLDER, ""), state, "" if trial.value is None else trial.value]
            writer.writerow([*shown, len(trial.intermediate_values), lasted, *values, trial.user_attrs.get(ERROR, "")])
