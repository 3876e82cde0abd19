"""A search from request to report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.errors import InputError
from animeid.runs.folder import group_path
from animeid.system.console import counted, say
from animeid.system.output import check_output
from animeid.tuning.best import evaluate_best_on_test, explain_best
from animeid.tuning.checks import check_common, check_space
from animeid.tuning.page import write_page_of
from animeid.tuning.search import ERROR, Search
from animeid.tuning.space import read_space
from animeid.tuning.sweep import write_sweep
from animeid.tuning.tables import show_best, write_table
from animeid.tuning.trials import Training, try_all


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
    path = group_path(request["run_id"])
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
        say(
            f"the space has {counted(limit, 'combination')}: {counted(limit, 'trial')} in the place of "
            f"{request['trials']}"
        )
    is_on = True
    while is_on:
        try_all(search, limit, training)
        is_on = search.wait()
    value = sum_up(search, training)
    explain_best(search, request["embeddings"])
    if request["test"]:
        evaluate_best_on_test(search, training.compose)
    return value


def sum_up(search: Search, training: Training) -> float:
    """Writes `trials.csv` and `search.html`, and says which settings are best.

    Raises:
        InputError: no trial came to its end.
    """
    write_table(search)
    finished = search.finished()
    if not finished:
        errors = [trial.user_attrs[ERROR] for trial in search.trials() if ERROR in trial.user_attrs]
        why = (
            f"{errors[0]}; when that is mended, choose another run_id"
            if errors
            else "all were cut short: take pruning=false"
        )
        raise InputError(f"no trial of {search.path} came to its end: {why}")
    show_best(search)
    best = finished[0]
    command = training.command([f"{one.key}={one.written(best.params[one.key])}" for one in search.space])
    page = write_page_of(search, command)
    say(f"the best settings, trained again with\n  {command}")
    say(f"report: {page}\nsearch folder: {search.path}")
    return float(best.value or 0.0)
