"""A second stage on a finished run: the head is mended, the rest stays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from animeid.assembly.module import build_stage
from animeid.assembly.plan import Plan
from animeid.assembly.transfer import Earlier
from animeid.errors import InputError
from animeid.metrics.adjustment import best_of
from animeid.models.classifier import Classifier
from animeid.models.stage_contract import Validation
from animeid.runs.finished import FinishedRun


def start_stage(plan: Plan, earlier: Earlier, model: Classifier, labels: Sequence[str]) -> tuple[str, ...]:
    """Does what a stage does before any training to a model that has the earlier run's weights; returns what to say.

    Raises:
        InputError: the earlier run has other classes, or the head is none that the stage can mend.
    """
    if not plan.get("stage"):
        return ()
    stage = build_stage(plan)
    if tuple(labels) != earlier.labels and not stage.fits_head:
        raise InputError(
            f"{earlier.folder.path} has other classes than this data, and a second stage mends the head of a run with "
            "the same: take from_run without stage"
        )
    note = stage.start(model, partial(validation_of, FinishedRun(earlier.folder)))
    return () if note is None else (note,)


def validation_of(run: FinishedRun) -> Validation:
    """The saved validation answers of a run.

    Raises:
        InputError: it has none.
    """
    positions = run.positions_in("val")
    if not len(positions):
        raise InputError(f"stage.tau=auto chooses on validation, and {run.folder.path} has no such part: give a number")
    embeddings = torch.from_numpy(run.embeddings[positions]).float()
    return Validation(embeddings, partial(best_of, targets=run.targets[positions]))
