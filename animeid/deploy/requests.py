"""Request classes of export; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt

from animeid.config.schema import Card
from animeid.values import PathText, Tau


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """The root of `conf/export.yaml`.

    run: a run's folder, that of a multirun or of folds, or patterns with colons between them; several answer together.
    output: the artefact's folder.
    code: a folder or module with code of the user's own that the run needs.
    logit_adjustment: as in prediction.
    temperature: as in prediction.
    tta: test-time augmentation; `own` is the run's.
    """

    run: PathText
    output: PathText
    code: PathText | None
    logit_adjustment: Tau
    temperature: Annotated[float, Gt(0)] | Literal["auto"]
    tta: Card | Literal["own"] | None
