"""`effort=best`: seeds that go on from one fitted head, and the mean of those weights that validation gains by.

The head comes first since means are of runs that began alike: heads drawn by different seeds lie too far apart. It is
one of those that are mixed, so that where training on loses what it had, it is kept itself.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Sequence
from typing import Any

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.second_stage import LEARNT_BY, inherit
from animeid.data.prepare import prepare
from animeid.engine.devices import choose_accelerator
from animeid.errors import InputError
from animeid.multirun.record import Asked
from animeid.multirun.running import Running
from animeid.recipe.choose import choose, with_shared
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder, group_path
from animeid.system.console import say
from animeid.system.launcher import refuse_launcher
from animeid.training.run import train

BEST = "best"
"""The folder of the run that is to be used."""

BY_THE_STAGE = ("recipe", "freezing", "scheduler", "stage", "from_run_parts", "head_init", "head_end")
"""What a card of a stage decides."""

ALONE = {"effort": None, "test": False}
"""Of a run that is one of several: none but the last one reads the test part."""

Request = dict[str, Any]


def train_best(request: Request, runs: int) -> float | None:
    """Trains so many seeds and mixes them; what is finished already is not done again.

    Args:
        request: of one of them.

    Returns:
        The `f1_macro` of validation.

    Raises:
        InputError: the request leaves no choice to make, or another process is at work on it.
    """
    refuse_several(request)
    request, trained_as = settled(request)
    path = group_path(request["run_id"])
    running = Running.begin(path, [])
    try:
        heads = [] if request["from_run"] else [done(running, probe_of(request, trained_as), {"stage": "probe"})]
        start = request["from_run"] or str(heads[0].path)
        seeds = range(request["seed"], request["seed"] + runs)
        trained = [done(running, member_of(request, start, seed), {"seed": str(seed)}) for seed in seeds]
    finally:
        running.end()
    return mix(RunFolder(path / BEST), request, [*trained, *heads])


def mix(folder: RunFolder, request: Request, members: Sequence[RunFolder]) -> float | None:
    """Makes the run that is to be used, unless it is there; returns its `f1_macro` of validation.

    Raises:
        InputError: it is there, of other runs.
    """
    soup = soup_of(request, members)
    if not folder.is_finished:
        if folder.path.exists():  # a kill left a half one, all of which can be made again
            shutil.rmtree(folder.path)
        return train({**soup, "run_id": folder.path.relative_to(OUTPUTS).as_posix()})
    if FinishedRun(folder).plan["stage"] != soup["stage"]:
        raise InputError(f"{folder.path} is the best of runs with other settings: choose another run_id")
    say(f"the best of them is there already: {folder.path}")
    return FinishedRun(folder).figure("val", "f1_macro")


def refuse_several(request: Request) -> None:
    """Raises:
    InputError: the request is of several runs, or of a stage, already.
    """
    refuse_launcher("effort=best", "each of its runs starts the processes of trainer.devices=N itself")
    if request["data"].get("fold") == "all":
        raise InputError("effort=best and data.fold=all both train several runs: leave one out")
    if request["stage"]:
        raise InputError("effort=best trains whole networks, and stage=NAME changes a trained one: leave one out")


def done(running: Running, request: Request, told: dict[str, str]) -> RunFolder:
    """The folder of a run, which is trained unless it was before.

    Raises:
        InputError: it cannot be trained, or has no validation part to choose by.
        JobCrashedError: it ended by a bug.
    """
    asked = Asked.of(request, told)
    running.run(asked, request, train)
    (job,) = running.multirun.register([asked])
    if FinishedRun(job.folder).figure("val", "f1_macro") is None:
        raise InputError("effort=best chooses by validation, and the data has no val part: set data.val_ratio above 0")
    return job.folder


def probe_of(request: Request, trained_as: Request) -> Request:
    """A head on the weights that the request starts from, fitted to what the seeds will see and be judged by.

    Of the test part nothing is read.

    Args:
        request, trained_as: as `settled` returns them.
    """
    card = compose("train", ["stage=probe"])
    same = {name: trained_as[name] for name in LEARNT_BY}
    return {**request, **{name: card[name] for name in BY_THE_STAGE}, **same, **ALONE}


def settled(request: Request) -> tuple[Request, Request]:
    """The request with what its runs have in common, and with all that a recipe chooses; its own without a recipe."""
    if not request["recipe"]:
        return request, request
    prepared = prepare(gateway.build(request["data"], "data"))
    accelerator = choose_accelerator(request["trainer"]["accelerator"])
    common = with_shared(request, prepared, accelerator)
    return common, choose({**common, "budget": None}, prepared, accelerator).request


def member_of(request: Request, start: str, seed: int) -> Request:
    """A training by the request that goes on from a run."""
    return {**request, **ALONE, "from_run": start, "seed": seed}


def soup_of(request: Request, members: Sequence[RunFolder]) -> Request:
    """The mean of these runs, with the request's own say in what a finished run is."""
    pattern = ":".join(glob.escape(str(member.path)) for member in members)
    asked = compose("train", ["recipe=none", "freezing=backbone", "scheduler=constant"])
    stage = {"_target_": "animeid.models.soup.GreedySoup", "runs": pattern}
    own = {name: request[name] for name in ("data", "trainer", "logger", "seed", "test", "keep", "embeddings", "tta")}
    soup = {**asked, **own, "effort": None, "stage": stage, "from_run": str(members[0].path)}
    return inherit(soup, [])
