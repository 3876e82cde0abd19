"""Checks of a search before it begins: that training takes what is tried, and that trials can be trained at all."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from animeid.config import gateway
from animeid.data.prepare import prepare
from animeid.engine.devices import choose_accelerator
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.tuning.pruning import NO_VALIDATION
from animeid.tuning.space import Dimension
from animeid.tuning.trials import Training


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
    if (request["effort"] or {}).get("runs", 1) > 1:
        raise InputError("effort=best trains several runs, and a trial is a single run: leave it out")
    choose_accelerator(request["trainer"]["accelerator"])
    if request["from_run"] is not None:
        RunFolder.open(request["from_run"])
    if not (prepare(gateway.build(request["data"], "data")).manifest.table["split"] == "val").any():
        raise InputError(NO_VALIDATION)
