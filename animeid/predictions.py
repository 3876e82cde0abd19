"""Predictions of a model, and what follows from their logits; numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOP_K = 5


@dataclass(frozen=True)
class Predictions:
    """What a model said, in the order of the loader.

    rows: `[N]` int64 manifest rows. logits: `[N, C]` float32. embeddings: `[N, D]` float32.
    losses: `[N]` float32, NaN where the target is no class.
    """

    rows: np.ndarray
    logits: np.ndarray
    embeddings: np.ndarray
    losses: np.ndarray


def join(answers: Sequence[Predictions]) -> Predictions:
    """The answers for different pictures, in the order of their rows."""
    answers = [answer for answer in answers if len(answer.rows)]
    order = np.argsort(np.concatenate([answer.rows for answer in answers]), kind="stable")
    parts = {name: np.concatenate([vars(a)[name] for a in answers])[order] for name in vars(answers[0])}
    return Predictions(**parts)


def softmax(logits: np.ndarray) -> np.ndarray:
    """`[N, C]` probabilities of `[N, C]` logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def top_k(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` likeliest classes `[N, k]`, likeliest first, and their probabilities; equal logits keep class order."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(softmax(logits), order, axis=1)
