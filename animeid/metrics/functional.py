"""Figures as pure functions of counts, so that one code serves a part and each of its resamples.

Arrays may have any leading dimensions; C classes and K bins come last. NaN means that a figure does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import log_softmax

ECE_BINS = 15
TOP_K = 5


@dataclass(frozen=True)
class ClassCounts:
    """What a confusion matrix has in its margins and on its diagonal, each `[..., C]`.

    support: pictures of the class. predicted: pictures that were given the class. hits: both.
    """

    support: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray


def confusion_counts(targets: np.ndarray, predicted: np.ndarray, num_classes: int) -> csr_array:
    """`[C, C]` int64 pictures by class (rows) and answer (columns), sparse; both arrays `[N]`, no target -1."""
    ones = np.ones(len(targets), dtype=np.int64)
    return coo_array((ones, (targets, predicted)), shape=(num_classes, num_classes)).tocsr()


def class_counts(confusion: csr_array) -> ClassCounts:
    """Margins and diagonal of `[C, C]` counts."""
    return ClassCounts(confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal())


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """`numerator / denominator`, NaN where the denominator is 0."""
    safe = np.where(denominator > 0, denominator, 1)
    return np.where(denominator > 0, numerator / safe, np.nan)


def recall(counts: ClassCounts) -> np.ndarray:
    """`[..., C]`: the share of a class's pictures that were found; NaN for a class without pictures."""
    return ratio(counts.hits, counts.support)


def precision(counts: ClassCounts) -> np.ndarray:
    """`[..., C]`: the share of a class's predictions that were right.

    0 for a class that is never predicted, as scikit-learn and torchmetrics have it; NaN for a class without pictures.
    """
    value = np.nan_to_num(ratio(counts.hits, counts.predicted))
    return np.where(counts.support > 0, value, np.nan)


def f1(counts: ClassCounts) -> np.ndarray:
    """`[..., C]`: harmonic mean of precision and recall; NaN for a class without pictures."""
    value = ratio(2 * counts.hits, counts.support + counts.predicted)
    return np.where(counts.support > 0, value, np.nan)


def macro(values: np.ndarray) -> np.ndarray:
    """`[...]`: the plain mean over the classes whose value exists; NaN where none does.

    torchmetrics' own macro averages also count a class that has no pictures but was predicted.
    """
    exists = ~np.isnan(values)
    return ratio(np.where(exists, values, 0).sum(-1), exists.sum(-1))


def weighted(values: np.ndarray, support: np.ndarray) -> np.ndarray:
    """`[...]`: the mean over the classes weighted by their pictures."""
    return ratio((np.nan_to_num(values) * support).sum(-1), support.sum(-1))


def micro(counts: ClassCounts) -> np.ndarray:
    """`[...]`: the share of all pictures that were named rightly."""
    return ratio(counts.hits.sum(-1), counts.support.sum(-1))


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`[N]` float64 nats of logits `[N, C]` and targets `[N]`."""
    return -np.take_along_axis(log_softmax(logits.astype(np.float64), axis=1), targets[:, None], axis=1)[:, 0]


def in_top_k(logits: np.ndarray, targets: np.ndarray, k: int = TOP_K) -> np.ndarray:
    """`[N]` bool: whether fewer than `k` classes are likelier than the target; equal logits rank in class order."""
    own = np.take_along_axis(logits, targets[:, None], axis=1)
    above = (logits > own).sum(axis=1)
    equal = np.flatnonzero((above < k) & ((logits == own).sum(axis=1) > 1))
    earlier = np.arange(logits.shape[1]) < targets[equal, None]
    above[equal] += ((logits[equal] == own[equal]) & earlier).sum(axis=1)
    return above < k


def calibration_bin(confidences: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """`[N]` int64: the bin of each confidence among equally wide ones that are open below, closed above."""
    return np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)


def expected_calibration_error(confidence_sums: np.ndarray, hit_sums: np.ndarray, total: np.ndarray) -> np.ndarray:
    """`[...]`: the mean gap of confidence and accuracy, weighted by the pictures in each bin (Guo 2017, 1706.04599).

    Args:
        confidence_sums: `[..., K]`, the confidences in each bin added up.
        hit_sums: `[..., K]`, the right answers in each bin.
        total: `[...]`, all pictures.
    """
    return ratio(np.abs(confidence_sums - hit_sums).sum(-1), total)
