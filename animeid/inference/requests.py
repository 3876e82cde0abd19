"""What finished runs are asked for. Light: the command line reads this as text, before anything is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from animeid.config.schema import Card
from animeid.values import Name, PathText, Tau


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
class EnsembleRequest:
    """The root of `conf/ensemble.yaml`.

    runs: a pattern of finished runs, or several with colons between them.
    vote: how their answers become one.
    """

    runs: PathText
    vote: Literal["mean", "weighted", "majority"]
    run_id: Name | None
