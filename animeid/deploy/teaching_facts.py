"""What an artefact tells so that it can teach: which pictures it has learnt, and what of the prior is in its logits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from animeid.artefacts.layout import TRAINED_ON
from animeid.assembly.adjusted import leftover_of
from animeid.data.duplicates.digests import digests_of
from animeid.inference.predictor import Predictor
from animeid.runs.lineage import with_ancestors
from animeid.runs.saved import SavedRun


def teaching_facts(folder: Path, predictors: Sequence[Predictor], tells: bool) -> dict[str, Any]:
    """Writes the digests of training pictures into an artefact's folder, and returns what `config.json` says.

    Args:
        tells: whether it may; without them it says that it does not tell.
    """
    left = prior_in_logits(predictors)
    told = None if left is None else left.tolist()
    trained_on = write_trained_on(folder, predictors) if tells else None
    return {"trained_on": trained_on, "prior_in_logits": told}


def write_trained_on(folder: Path, predictors: Sequence[Predictor]) -> dict[str, Any]:
    """Of the pictures that the runs, and those that their weights come from, were trained on."""
    lineages = [with_ancestors(predictor.folder) for predictor in predictors]
    runs = dict.fromkeys(run for one in lineages for run in one.runs)
    tables = [SavedRun(run).manifest.table for run in runs]
    contents = [text for table in tables for text in table.loc[table["split"] == "train", "sha256"]]
    digests = digests_of(contents)
    np.savez(folder / TRAINED_ON, digests=digests)
    is_complete = all(contents) and not any(one.notes for one in lineages)
    return {"file": TRAINED_ON, "pictures": len(digests), "complete": is_complete}


def prior_in_logits(predictors: Sequence[Predictor]) -> Tensor | None:
    """`[C]`, the part of the log-prior that stands in an artefact's logits; None where that cannot be told.

    Of several runs, whose probabilities are averaged, the priors are: the mean of `p(x|y) prior_i(y)` has the mean of
    the priors where the networks think alike of `p(x|y)`.
    """
    found = [_left(predictor) for predictor in predictors]
    if len(found) == 1:
        return found[0]
    told = [left for left in found if left is not None]
    if len(told) < len(found):
        return None
    tempered = [left / predictor.temperature for left, predictor in zip(told, predictors, strict=True)]
    return torch.stack([left.log_softmax(0) for left in tempered]).exp().mean(0).log()


def _left(predictor: Predictor) -> Tensor | None:
    """Of one run as it answers: the adjustment by the prior has taken its part off."""
    left, offset = leftover_of(predictor.folder), predictor.model.offset
    return left if left is None or offset is None else left - offset.cpu()
