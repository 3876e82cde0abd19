"""Request classes of inference; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from animeid.config.schema import Card
from animeid.values import Name, PathsText, PathText, Tau


@dataclass(frozen=True, kw_only=True)
class InferenceRequest:
    """How a finished run answers: the keys of `conf/inference/default.yaml`.

    run: a run's folder.
    accelerator: as in `animeid.engine.settings.TrainerSettings`.
    precision: `auto` is the run's own on the accelerator that it was trained on, elsewhere what suits.
    logit_adjustment: tau of post-hoc logit adjustment; `auto` is the best on the run's validation part.
    tta: test-time augmentation; `own` is the run's.
    batch_size: pictures that are answered together; `auto` is the run's.
    num_workers: processes that read pictures; `auto` suits machine and accelerator.
    """

    run: PathText
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
    logit_adjustment: Tau
    tta: Card | Literal["own"] | None
    batch_size: Annotated[int, Ge(1)] | Literal["auto"]
    num_workers: Annotated[int, Ge(0)] | Literal["auto"]


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(InferenceRequest):
    """The root of `conf/evaluate.yaml`.

    split: the part of the run's own pictures.
    code: a folder or module with code of the user's own that the run needs.
    data: new pictures in their place.
    trainer: where accelerator and precision are also understood.
    """

    split: Literal["train", "val", "test"]
    code: PathText | None
    data: Card
    trainer: Card


@dataclass(frozen=True, kw_only=True)
class PredictRequest(InferenceRequest):
    """The root of `conf/predict.yaml`.

    input: a picture, a folder or a glob.
    code: a folder or module with code of the user's own that the run needs.
    run: a run's folder, that of a multirun or of folds, or patterns with colons between them; several answer together.
    output: a CSV or JSONL file, or a folder, `sorted/`, of a folder for each name; without it, answers are printed.
    top_k: names given for each picture, likeliest first.
    incomplete: what becomes of pictures that lack pixels; None is as the run was trained.
    temperature: what logits are divided by; `auto` is the run's fitted one where it helps on validation.
    sort: whether a folder gets copies of the pictures, or symbolic links to them.
    unknown_below: the probability of the likeliest name under which a picture is sorted into `unknown`.
    """

    input: PathText
    code: PathText | None
    output: PathText | None
    top_k: Annotated[int, Ge(1)]
    temperature: Annotated[float, Gt(0)] | Literal["auto"]
    incomplete: Literal["leave_out", "keep"] | None
    sort: Literal["copy", "link"]
    unknown_below: Annotated[float, Interval(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class EnsembleRequest:
    """The root of `conf/ensemble.yaml`.

    runs: a pattern of finished runs, or several with colons between them.
    vote: how their answers become one.
    code: a folder or module with code of the user's own that the runs need.
    """

    runs: PathsText
    vote: Literal["mean", "weighted", "majority"]
    code: PathText | None
    run_id: Name | None
