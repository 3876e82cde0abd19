"""What `python -m animeid.tune` does."""

from __future__ import annotations

import csv
import itertools
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna import TrialPruned
from optuna.trial import TrialState

from animeid.config import gateway
from animeid.data.prepare import prepare
from animeid.engine.devices import choose_accelerator
from animeid.errors import InputError, MachineError, PeerFailedError
from animeid.inference.evaluation import evaluate
from animeid.multirun.outcome import sentence_of, write_error
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.system.console import align, say
from animeid.system.files import atomic, read_yaml
from animeid.system.output import check_output
from animeid.system.progress import clock
from animeid.training.run import train
from animeid.tuning.page import write_page_of
from animeid.tuning.pruning import NO_VALIDATION, Reporting
from animeid.tuning.search import ERROR, FOLDER, LOST, Begun, Search
from animeid.tuning.space import Dimension, read_space
from animeid.tuning.sweep import write_sweep

SHOWN = 10
"""So many of the best trials are listed."""

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


def tune(request: Mapping[str, Any], training: Training) -> float | None:
    """Tries settings until there are as many trials as are asked for, by all calls and processes together.

    Args:
        request: the command's.
        training: how trials are trained.

    Returns:
        The best `f1_macro` of validation; None where the search is only written down for W&B.

    Raises:
        InputError: the space has a key or value that training does not take, no trial could be trained whatever it
            tries, or every trial failed.
    """
    space = read_space(request["space"])
    check_space(space, training)
    if request["output"] is not None:
        output = check_output(request["output"], (".yaml", ".yml"))
        assert output is not None
        settings = {"method": request["method"], "trials": request["trials"], "prunes": request["pruning"]}
        write_sweep(output, space, training.arguments, training.hydra, **settings)
        say(f"start it with: wandb sweep {output}")
        return None
    check_common(space, training)
    path = OUTPUTS / request["run_id"] if request["run_id"] else RunFolder.reserve(None).path
    search = Search(
        path,
        space,
        request["method"],
        request["seed"],
        prunes=request["pruning"],
        settings={"space": request["space"], "arguments": list(training.arguments), "method": request["method"]},
    )
    limit = search.limit(request["trials"])
    if limit < request["trials"] and request["method"] != "grid":
        say(f"the space has {limit} combinations: {limit} trials in the place of {request['trials']}")
    is_on = True
    while is_on:
        try_all(search, limit, training)
        is_on = search.wait()
    value = sum_up(search, training)
    if request["test"]:
        judge_on_test(search, training.compose)
    return value


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


def check_space(space: Sequence[Dimension], training: Training) -> None:
    """Composes each value of each key once, before anything is trained.

    Raises:
        InputError: training does not take one, or an argument gives what is searched for.
    """
    given = {argument.lstrip("+~").partition("=")[0]: argument for argument in training.arguments}
    for dimension in space:
        if dimension.key in given:
            raise InputError(
                f"{given[dimension.key]} gives what is searched for: leave it out, or leave it out of the search with "
                f"~space.{dimension.key}"
            )
        for value in dimension.ends():
            try:
                training.request(f"{dimension.key}={value}")
            except InputError as error:
                raise InputError(f"space.{dimension.key} cannot try {value}: {error}") from error


def check_common(space: Sequence[Dimension], training: Training) -> None:
    """Reads the pictures and looks at what else all trials share, before anything is written down.

    Raises:
        InputError: no trial could be trained, whatever it tries.
    """
    # Other values of the space may not go together, and the pictures do not depend on them.
    ends = [[f"{one.key}={value}" for value in one.ends()] for one in space if one.key.partition(".")[0] == "data"]
    faults: list[InputError] = []
    for own in itertools.product(*ends):
        try:
            return check_whole(training.request(*own))
        except InputError as error:
            faults.append(error)
    raise faults[0]


def check_whole(request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: no trial of this request could be trained, whatever else it tries.
    """
    if request["data"].get("fold") == "all":
        raise InputError("data.fold=all trains a run for each fold, and a trial is a single run: give data.fold=0")
    choose_accelerator(request["trainer"]["accelerator"])
    if request["from_run"] is not None:
        RunFolder.open(request["from_run"])
    if not (prepare(gateway.build(request["data"], "data")).manifest.table["split"] == "val").any():
        raise InputError(NO_VALIDATION)


def title(begun: Begun, search: Search, limit: int, seconds: Sequence[float]) -> str:
    what = " ".join(f"{key}={value}" for key, value in begun.values.items())
    finished = search.finished()
    best = f", best until now {finished[0].value:.3f}" if finished else ""
    done = sum(trial.state.is_finished() for trial in search.shown())
    left = f", about {clock(max(limit - done, 1) * sum(seconds) / len(seconds))} left" if seconds else ""
    return f"trial {begun.trial.number}: {what}{best}{left}"


def do_trial(search: Search, begun: Begun, training: Training) -> None:
    """Trains with the trial's values and writes down what came of it.

    A signal and a fault of the machine leave it to be gone on with by the same command; so does a fault in another
    process of the run, whose kind is not known here, but once only: a trial whose values are at fault must not end the
    search for ever.
    """
    folder = RunFolder(search.path / str(begun.folder))
    name = folder.path.relative_to(OUTPUTS).as_posix()
    fixed = {"run_id": name, "resume": "auto", "test": False}
    try:
        request = training.request(*(f"{key}={value}" for key, value in begun.values.items()))
        value = train({**request, **fixed}, callbacks=[Reporting(begun.trial, begun.reported)])
    except TrialPruned as pruned:
        say(f"trial {begun.trial.number} was {pruned}")
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


def fail(search: Search, begun: Begun, folder: RunFolder, error: Exception) -> None:
    """Writes down why a trial failed: settings that cannot be trained do not stop the others."""
    file = write_error(folder, error)
    begun.trial.set_user_attr(ERROR, sentence_of(error))
    search.study.tell(begun.trial, state=TrialState.FAIL)
    say(f"trial {begun.trial.number} failed: {sentence_of(error)}; see {file}")


def sum_up(search: Search, training: Training) -> float:
    """Writes `trials.csv` and `search.html`, and says which settings are best.

    Raises:
        InputError: no trial came to its end.
    """
    write_table(search)
    finished = search.finished()
    if not finished:
        errors = [trial.user_attrs[ERROR] for trial in search.trials() if ERROR in trial.user_attrs]
        why = f"{errors[0]}; when that is mended, choose another run_id" if errors else "all were cut short"
        raise InputError(f"no trial of {search.path} came to its end: {why}")
    best, space = finished[0], search.space
    rows = [
        [str(trial.number), f"{trial.value:.3f}", *(one.written(trial.params[one.key]) for one in space)]
        for trial in finished[:SHOWN]
    ]
    say("\n".join(align([["trial", "val/f1_macro", *(one.key for one in space)], *rows])))
    command = training.command([f"{one.key}={one.written(best.params[one.key])}" for one in space])
    page = write_page_of(search, command)
    say(f"the best settings, trained again with\n  {command}")
    say(f"report: {page}\nsearch folder: {search.path}")
    return float(best.value or 0.0)


def judge_on_test(search: Search, compose: Compose) -> None:
    """Reads the test part once in a search's life, with the model that is the best when it is first asked for."""
    best = search.path / str(search.finished()[0].user_attrs[FOLDER])
    with search.judged(int(best.name)) as judged:
        run = search.path / str(judged)
        done = evaluations_on_test(run)
        if not done:
            evaluate(compose("evaluate", [f"run={run}"]))
            return
    figure = FinishedRun(done[0]).metrics["test"]["f1_macro"]
    other = "" if run == best else f"; it is not read again for {best}, which is the best now"
    say(f"the test part has been read before, with {run}: {figure:.3f} f1_macro{other}")


def evaluations_on_test(run: Path) -> list[RunFolder]:
    """Those of the run's own test part that came to their end; other pictures are judged as a test part too."""
    found = (RunFolder(path) for path in sorted((run / "evaluations").glob("*")))
    asked = [(folder, read_yaml(folder.request)) for folder in found if folder.is_finished and folder.request.is_file()]
    return [folder for folder, request in asked if request["split"] == "test" and not request["data"]["root"]]


def write_table(search: Search) -> None:
    """Writes `trials.csv`: a line a trial."""
    with atomic(search.path / "trials.csv", "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            [
                "trial",
                "folder",
                "state",
                "val/f1_macro",
                "epochs",
                "seconds",
                *(one.key for one in search.space),
                "error",
            ]
        )
        for trial in search.shown():
            lasted = f"{trial.duration.total_seconds():.0f}" if trial.duration else ""
            state = trial.state.name.lower()
            params = trial.params
            values = [one.written(params[one.key]) if one.key in params else "" for one in search.space]
            shown = [trial.number, trial.user_attrs.get(FOLDER, ""), state, "" if trial.value is None else trial.value]
            writer.writerow([*shown, len(trial.intermediate_values), lasted, *values, trial.user_attrs.get(ERROR, "")])
