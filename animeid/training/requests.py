"""Request classes of training; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from animeid.config.schema import Card
from animeid.values import Budget, Name, PathsText, PathText


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """The root of `conf/train.yaml`."""

    data: Card
    augment: Card
    sampler: Card
    mixing: Card | None
    resizing: Card | None
    restyling: Card | None
    model: Card
    head: Card
    head_init: Card | None
    head_end: Card | None
    deep_supervision: Card | None
    feature_mixing: Card | None
    freezing: Card | None
    prune: Card | None
    loss: Card
    contrastive: Card | None
    distill: Card | None
    optimizer: Card
    scheduler: Card
    averaging: Card | None
    trainer: Card
    callbacks: Card
    logger: Card | None
    seed: Annotated[int, Interval(ge=0, le=4_294_967_295)]
    run_id: Name | None
    resume: Literal["never", "auto", "must"]
    code: PathText | None
    compare: PathText | None
    from_run: PathText | None
    from_run_parts: Literal["all", "backbone"]
    teacher: PathsText | None
    stage: Card | None
    effort: Card | None
    tta: Card | None
    test: bool
    keep: Literal["weights", "all"]
    embeddings: Literal["on", "off"]
    recipe: Card | None
    budget: Budget | None
