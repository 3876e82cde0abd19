"""What PyTorch answers: the runs themselves, by their own reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, logsumexp

from animeid.deploy.parity.agreement import EngineAnswers
from animeid.inference.predictor import Predictor


def answers_of_runs(predictors: Sequence[Predictor], paths: Sequence[Path]) -> EngineAnswers:
    """Of pictures that can be read; several runs answer as an artefact of them does."""
    found = [predictor(list(paths)) for predictor in predictors]
    if len(found) == 1:
        return EngineAnswers(found[0].embeddings, found[0].logits)
    directions = [one.embeddings / np.linalg.norm(one.embeddings, axis=1, keepdims=True).clip(1e-12) for one in found]
    tempered = [predictor.tempered(one.logits) for predictor, one in zip(predictors, found, strict=True)]
    mean = logsumexp([log_softmax(one.astype(np.float64), axis=1) for one in tempered], axis=0) - np.log(len(found))
    return EngineAnswers(np.concatenate(directions, 1), mean.astype(np.float32))
