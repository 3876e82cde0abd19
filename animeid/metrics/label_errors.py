"""Pictures whose label is probably wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animeid.metrics.sureness import Sureness
from animeid.predictions import CACHE_BYTES, row_blocks
from animeid.terms import UNKNOWN_TARGET

ROUNDING = 1e-9
"""Pictures of a class that are all equally sure are as sure as their mean, whatever its last digit."""


def suspects(logits: np.ndarray, targets: np.ndarray) -> pd.DataFrame:
    """Confident learning: pictures that the model confidently sees in another class (Northcutt 2021, arXiv 1911.00068).

    A class's threshold is the mean probability that its own pictures give it (eq. 2). A picture is counted for the
    likeliest of the classes whose threshold it reaches (eq. 1); it is a suspect where that is not its target, and is
    likelier than it (the off-diagonals of the confident joint, the paper's method 2). A class that no picture has is
    never suggested.

    Only for answers to pictures that the model was not trained on (val, test): a model that was shown a wrong label
    has learnt it, and confidently repeats it.

    Args:
        logits: `[N, C]`, which are read a block at a time.
        targets: `[N]` int; pictures of no class (-1) are left out.

    Returns:
        A row a suspect, the most suspicious first: `position` in the arrays given, `target`, the class that is
        `suggested`, and `margin`, by how much its probability exceeds the target's.
    """
    positions = np.flatnonzero(targets != UNKNOWN_TARGET)
    given = targets[positions].astype(np.int64)
    classes = logits.shape[1]
    (sure,) = Sureness.at(logits, targets, positions)
    of_given = np.exp(-sure.surprise)
    bounds = _thresholds(of_given, given, classes) - ROUNDING
    guess, margin = given.copy(), np.zeros(len(given))
    wrong = np.flatnonzero(sure.answer != given)  # nothing is likelier than the target of the others
    for block in row_blocks(len(wrong), 8 * classes, CACHE_BYTES):
        some = wrong[block]
        guess[some], shares = _guess(np.asarray(logits[positions[some]]), sure.confidence[some], bounds)
        margin[some] = shares - of_given[some]
    suspicious = np.flatnonzero((guess != given) & (margin > 0))
    order = suspicious[np.argsort(-margin[suspicious], kind="stable")]
    return pd.DataFrame(
        {"position": positions[order], "target": given[order], "suggested": guess[order], "margin": margin[order]}
    )


def _guess(logits: np.ndarray, confidence: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each of `[N, C]` logits the likeliest class that reaches its bound `[C]`, and its probability; 0 of none.

    Args:
        confidence: `[N]`, the probability of the likeliest class.
    """
    shares = np.subtract(logits, logits.max(axis=1, keepdims=True), dtype=np.float64)
    shares += np.log(confidence)[:, None]
    shares[shares < np.log(np.maximum(bounds, np.finfo(np.float64).tiny))] = -np.inf
    guess = shares.argmax(axis=1)
    return guess, np.exp(np.take_along_axis(shares, guess[:, None], axis=1)[:, 0])


def _thresholds(of_given: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """`[C]`; infinite for a class without pictures."""
    support = np.bincount(targets, minlength=classes)
    own = np.bincount(targets, of_given, minlength=classes)
    return np.where(support > 0, own / np.maximum(support, 1), np.inf)
