"""The root keys of each command, with their types and ranges.

The fields of a group are `Card`s: each is a node with a `_target_` of its own, checked against that target. These
classes are read as source text, as those of every other target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Interval, doc
from pydantic import StringConstraints

from animeid.values import PathText, Tau

Name = Annotated[
    str,
    StringConstraints(pattern=r"^\w[\w.-]*$", max_length=100),
    doc("a name of letters, digits, '_', '-' and '.' that begins with a letter or digit"),
]

Budget = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,5}(s|min|h)$"),
    doc("a time such as 90s, 10min or 2h"),
]


class Card:
    """A node with `_target_`."""


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """The root of `conf/train.yaml`."""

    data: Card
    augment: Card
    sampler: Card
    mixing: Card | None
    resizing: Card | None
    model: Card
    head: Card
    deep_supervision: Card | None
    freezing: Card | None
    loss: Card
    contrastive: Card | None
    optimizer: Card
    scheduler: Card
    averaging: Card | None
    trainer: Card
    callbacks: Card
    logger: Card | None
    seed: Annotated[int, Interval(ge=0, le=4_294_967_295)]
    run_id: Name | None
    resume: Literal["never", "auto", "must"]
    from_run: PathText | None
    from_run_parts: Literal["all", "backbone"]
    stage: Card | None
    tta: Card | None
    test: bool
    recipe: Card | None
    budget: Budget | None


@dataclass(frozen=True, kw_only=True)
class LabelledPictures:
    """Pictures to judge a run on; without a root, those of the run's own split.

    root: class folders or a manifest, as in training; classes are matched by name.
    leaks: what becomes of pictures that the run was trained on: a refusal, left out and listed, or kept.
    """

    root: PathText | None = None
    leaks: Literal["fail", "drop", "report"] = "drop"


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest:
    """The root of `conf/evaluate.yaml`.

    run: a run's folder.
    split: the part of the run's own pictures.
    logit_adjustment: tau of post-hoc logit adjustment; `auto` is the best on the run's validation part.
    tta: test-time augmentation; `own` is the run's.
    """

    run: PathText
    logit_adjustment: Tau
    split: Literal["train", "val", "test"]
    data: Card
    trainer: Card
    tta: Card | Literal["own"] | None


@dataclass(frozen=True, kw_only=True)
class PredictRequest:
    """The root of `conf/predict.yaml`.

    run: a run's folder.
    input: a picture, a folder or a glob.
    output: a CSV or JSONL file; without it, the answers are printed.
    top_k: names given for each picture, likeliest first.
    logit_adjustment, tta: as for `EvaluateRequest`.
    """

    run: PathText
    logit_adjustment: Tau
    input: PathText
    output: PathText | None
    top_k: Annotated[int, Ge(1)]
    batch_size: Annotated[int, Ge(1)]
    tta: Card | Literal["own"] | None
    accelerator: Literal["auto", "cpu", "gpu", "mps"]


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


TUNE_KEYS = ("space", "method", "trials", "pruning", "output", "test", "run_id", "resume")
"""What a search keeps for itself; everything else is training's."""


@dataclass(frozen=True, kw_only=True)
class EnsembleRequest:
    """The root of `conf/ensemble.yaml`.

    runs: a pattern of finished runs, or several with colons between them.
    vote: how their answers become one.
    """

    runs: PathText
    vote: Literal["mean", "weighted", "majority"]
    run_id: Name | None


@dataclass(frozen=True, kw_only=True)
class DashboardRequest:
    """The root of `conf/dashboard.yaml`.

    entity, project: where runs are logged to.
    name: what the workspace is called.
    output: a JSON file for the specification; without it, the workspace is sent.
    """

    entity: str
    project: str
    name: str
    output: PathText | None


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """The root of `conf/report.yaml`.

    run: a finished run's folder.
    runs: a pattern of several, or several with colons between them.
    output: the page's file.
    """

    run: str | None
    runs: str | None
    output: str | None


@dataclass(frozen=True, kw_only=True)
class ShardRequest:
    """The root of `conf/shard.yaml`.

    output: the folder of the shards.
    by_class: whether each training shard holds one class.
    shard_mb: megabytes of a shard.
    """

    data: Card
    output: str
    by_class: bool
    shard_mb: Annotated[int, Ge(1)]


SCHEMAS = {
    root: f"{__name__}.{schema.__name__}"
    for root, schema in {
        "train": TrainRequest,
        "evaluate": EvaluateRequest,
        "predict": PredictRequest,
        "tune": TuneRequest,
        "ensemble": EnsembleRequest,
        "dashboard": DashboardRequest,
        "report": ReportRequest,
        "doctor": TrainRequest,
        "shard": ShardRequest,
    }.items()
}
"""The class of each root."""

FREE_GROUPS = ("experiment", "scale", "debug")
"""Groups of training whose cards change keys anywhere, and that have no key of their own."""
