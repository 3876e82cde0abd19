"""Request classes of export and comparison; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, doc
from pydantic import StringConstraints

from animeid.config.schema import Card
from animeid.values import PathsText, PathText, Tau, Whole

Repository = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=193),
    doc("a repository of the Hugging Face hub, USER/NAME"),
]


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """The root of `conf/export.yaml`.

    run: a run's folder, that of a multirun or of folds, or patterns with colons between them; several answer together.
    output: the artefact's folder.
    code: a folder or module with code of the user's own that the run needs.
    logit_adjustment: as in prediction.
    temperature: as in prediction.
    tta: test-time augmentation; `own` is the run's.
    references: training pictures of each class that travel, small, with their embeddings.
    trained_on: whether it tells, by digests, which pictures it has learnt.
    compress: whether faster engines are looked for, in bfloat16 and 8 bits, that answer nearly as well.
    push: where on the hub the artefact is uploaded.
    licence: of the weights, as the hub names it (`mit`, `cc-by-nc-4.0`).
    pictures_licence: of the pictures, in words.
    not_accepted: what is done with a pruned run that lost too much.
    """

    run: PathText
    output: PathText
    code: PathText | None
    logit_adjustment: Tau
    temperature: Annotated[float, Gt(0)] | Literal["auto"]
    tta: Card | Literal["own"] | None
    references: Annotated[int, Ge(0)]
    trained_on: bool
    compress: bool
    push: Repository | None
    licence: str | None
    pictures_licence: str | None
    not_accepted: Literal["refuse", "export"]


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """The root of `conf/compare.yaml`.

    models: a pattern of run folders and artefacts, or several with colons between them.
    output: the folder that is made.
    input: pictures that are read while times are measured; None takes judged ones.
    rounds: in which each model is measured in turn with the others.
    seconds: of each kind of work of each model in a round.
    threads: of each model; `auto` is as many as cores may be used.
    accelerator: the device of runs, as in `animeid.engine.settings.TrainerSettings`.
    code: a folder or module with code of the user's own that the runs need.
    """

    models: PathsText
    output: PathText
    input: PathText | None
    rounds: Whole
    seconds: Annotated[float, Gt(0)]
    threads: Whole | Literal["auto"]
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    code: PathText | None
