"""What a request that prunes needs, and what it cannot have beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.config.freeze import read_plan
from animeid.errors import InputError
from animeid.runs.folder import RunFolder


def check_pruned(request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: there is no run to prune, it or this one has no validation part of its own, or another way of beginning
        is asked for as well.
    """
    if request.get("prune") is None:
        return
    if request["from_run"] is None:
        raise InputError("prune takes channels out of a finished run: write from_run=RUN, its folder, or leave it out")
    for key, why in (
        ("stage", "a second stage mends the head of a run, and prune trains all of it: leave one out"),
        ("head_init", "prune goes on with the head of the run in from_run: leave out head_init"),
    ):
        if request.get(key):
            raise InputError(why)
    if request["from_run_parts"] != "all":
        raise InputError(
            "prune judges what is lost against the run in from_run, head and all: leave out from_run_parts"
        )
    if (request.get("effort") or {}).get("runs", 1) > 1:
        raise InputError("effort=best trains several runs that start from one another: leave out prune")
    if request["data"].get("refit") is True:
        raise InputError("what pruning loses is judged on val, which a refit would learn: leave out data.refit")
    check_held_out(request["from_run"])


def check_held_out(from_run: str) -> None:
    """Raises:
    InputError: there is no such run, or it has learnt the pictures that it would be judged on.
    """
    run = RunFolder.open(from_run)
    if read_plan(run.config)["data"].get("refit") is True:
        raise InputError(
            f"{run.path} was trained on train and val, and what pruning loses is judged on a val part that its run has "
            f"not seen: take from_run={run.twin.path}"
        )
