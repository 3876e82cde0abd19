"""Request classes of export; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, doc
from pydantic import StringConstraints

from animeid.config.schema import Card
from animeid.values import PathText, Tau

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
    push: where on the hub the artefact is uploaded.
    licence: of the weights, as the hub names it (`mit`, `cc-by-nc-4.0`).
    pictures_licence: of the pictures, in words.
    """

    run: PathText
    output: PathText
    code: PathText | None
    logit_adjustment: Tau
    temperature: Annotated[float, Gt(0)] | Literal["auto"]
    tta: Card | Literal["own"] | None
    references: Annotated[int, Ge(0)]
    push: Repository | None
    licence: str | None
    pictures_licence: str | None
