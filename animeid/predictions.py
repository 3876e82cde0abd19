"""Predictions of a model, and what follows from their logits; numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOP_K = 5


@dataclass(frozen=True)
class Predictions:
    """What a model said, in the order of the loader.

    rows: `[N]` int64 manifest rows. logits: `[N, C]` float32. embeddings: `[N, D]` float32.
    losses: `[N]` float32, NaN where the target is no class or no loss was asked for.
    """

    rows: np.ndarray
    logits: np.ndarray
    embeddings: np.ndarray
    losses: np.ndarray

    def at(self, places: Sequence[int] | np.ndarray) -> Predictions:
        """Those at these places."""
        chosen = np.asarray(places, np.int64)
        return Predictions(**{name: values[chosen] for name, values in vars(self).items()})


def concatenate(answers: Sequence[Predictions]) -> Predictions:
    """The answers one after the other."""
    return Predictions(**{name: np.concatenate([vars(a)[name] for a in answers]) for name in vars(answers[0])})


def join(answers: Sequence[Predictions]) -> Predictions:
    """The answers for different pictures, in the order of their rows."""
    whole = concatenate([answer for answer in answers if len(answer.rows)])
    return whole.at(np.argsort(whole.rows, kind="stable"))


def softmax(logits: np.ndarray) -> np.ndarray:
    """`[N, C]` probabilities of `[N, C]` logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def top_k(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` likeliest classes `[N, k]`, likeliest first, and their probabilities; equal logits keep class order."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(softmax(logits), order, axis=1)


def top_names(logits: np.ndarray, labels: Sequence[str], k: int) -> list[list[dict[str, Any]]]:
    """The `k` likeliest names of each of `[N, C]` logits, likeliest first: `label` and `probability` each."""
    order, probabilities = top_k(logits, k)
    return [
        [{"label": labels[index], "probability": float(value)} for index, value in zip(*pair, strict=True)]
        for pair in zip(order, probabilities, strict=True)
    ]
