"""Choice of tau for logit adjustment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from animeid.metrics.functional import ClassCounts, f1, macro
from animeid.predictions import row_blocks
from animeid.terms import UNKNOWN_TARGET

TAUS = np.linspace(0.0, 2.0, 21)
"""What is tried."""


def adjust(logits: np.ndarray, log_prior: np.ndarray, tau: float) -> np.ndarray:
    """`[N, C]`: `z - tau log prior`, equation 9 of Menon 2021 (arXiv 2007.07314)."""
    return logits - tau * log_prior


def f1_macro(logits: np.ndarray, targets: np.ndarray) -> float:
    """The mean F1 of `logits [N, C]` over the classes among `targets [N]`, all of which are known."""
    return f1_macro_of(logits.argmax(1), targets, logits.shape[1])


def f1_macro_of(predicted: np.ndarray, targets: np.ndarray, classes: int) -> float:
    """The mean F1 of answers `[N]` over the classes among `targets [N]`, all of which are known."""
    support, given, hits = (
        np.bincount(values, minlength=classes) for values in (targets, predicted, targets[predicted == targets])
    )
    return float(macro(f1(ClassCounts(support, given, hits))))


def choose_tau(logits: np.ndarray, targets: np.ndarray, log_prior: np.ndarray) -> float:
    """The tau among `TAUS` of the best `f1_macro`, the smallest of equals.

    Args:
        logits: `[N, C]` of validation, which are read a block at a time.
        targets: `[N]`; pictures of no class (-1) are left out.
        log_prior: `[C]`.

    Raises:
        ValueError: no picture has a class.
    """
    known = _known(targets)
    predicted = np.empty((len(TAUS), len(known)), np.int64)
    for block in row_blocks(len(known), 8 * logits.shape[1]):
        some = np.asarray(logits[known[block]])
        for place, tau in enumerate(TAUS):
            predicted[place, block] = adjust(some, log_prior, tau).argmax(axis=1)
    figures = [f1_macro_of(answers, targets[known], logits.shape[1]) for answers in predicted]
    return float(TAUS[int(np.argmax(figures))])


def best_of(candidates: Iterable[np.ndarray], targets: np.ndarray) -> int:
    """The place of the logits `[N, C]` of the best `f1_macro`, the first of equals.

    Args:
        candidates: logits for the same pictures.
        targets: `[N]`; pictures of no class (-1) are left out.

    Raises:
        ValueError: no picture has a class.
    """
    known = _known(targets)
    return int(np.argmax([f1_macro(logits[known], targets[known]) for logits in candidates]))


def _known(targets: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    if not len(known):
        raise ValueError("a choice needs pictures that have a class")
    return known
