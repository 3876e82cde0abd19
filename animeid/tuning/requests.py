"""Request classes of searches; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from animeid.training.requests import TrainRequest
from animeid.values import PathText


@dataclass(frozen=True, kw_only=True)
class TuneRequest(TrainRequest):
    """The root of `conf/tune.yaml`.

    space: keys and the values that are tried, see `animeid.tuning.space`.
    method: how values are chosen.
    trials: how many there are in all, those of earlier calls and other processes among them.
    pruning: whether trials that fall behind are cut short.
    test: whether the best trial is judged on the test part at the end.
    output: a YAML file for a sweep of W&B over the same space, in the place of a search.
    """

    space: dict[str, object]
    method: Literal["tpe", "random", "grid"]
    trials: Annotated[int, Ge(1)]
    pruning: bool
    output: PathText | None
