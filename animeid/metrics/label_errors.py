"""Pictures whose label is probably wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from animeid.predictions import row_blocks, softmax
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
    of_given = np.empty(len(given))
    for block, probabilities in _blocks(logits, positions):
        of_given[block] = np.take_along_axis(probabilities, given[block, None], axis=1)[:, 0]
    bounds = _thresholds(of_given, given, classes) - ROUNDING
    guess, of_guess = np.empty(len(given), np.int64), np.empty(len(given))
    for block, probabilities in _blocks(logits, positions):
        probabilities[probabilities < bounds] = -1
        guess[block] = probabilities.argmax(axis=1)
        of_guess[block] = np.take_along_axis(probabilities, guess[block, None], axis=1)[:, 0]
    margin = of_guess - of_given
    suspicious = np.flatnonzero((of_guess >= 0) & (guess != given) & (margin > 0))
    order = suspicious[np.argsort(-margin[suspicious], kind="stable")]
    return pd.DataFrame(
        {"position": positions[order], "target": given[order], "suggested": guess[order], "margin": margin[order]}
    )


def _blocks(logits: np.ndarray, positions: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some of the positions, and their probabilities, float64."""
    for block in row_blocks(len(positions), 8 * logits.shape[1]):
        yield block, softmax(np.asarray(logits[positions[block]], dtype=np.float64))


def _thresholds(of_given: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """`[C]`; infinite for a class without pictures."""
    support = np.bincount(targets, minlength=classes)
    own = np.bincount(targets, of_given, minlength=classes)
    return np.where(support > 0, own / np.maximum(support, 1), np.inf)
