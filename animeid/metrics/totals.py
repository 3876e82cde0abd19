"""Sums over classes of what each class adds to a macro or a micro figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.metrics import functional as F  # noqa: N812 - as torch has it
from animeid.metrics.functional import ClassCounts


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 of each class, `[..., C]`; NaN where a class has no pictures."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray

    @classmethod
    def of(cls, counts: ClassCounts) -> ClassFigures:
        return cls(F.precision(counts), F.recall(counts), F.f1(counts))


@dataclass(frozen=True)
class Totals:
    """Sums over the classes of each of M kinds, `[..., M]` each: all figures of a part are ratios of them.

    classes: that have pictures. support, hits: pictures, and those named rightly. recall, f1: of the classes.
    f1_support: F1 times pictures.
    """

    classes: np.ndarray
    support: np.ndarray
    hits: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    f1_support: np.ndarray

    @classmethod
    def terms(cls, counts: ClassCounts, figures: ClassFigures) -> Totals:
        """What each class adds, `[..., C]` each."""
        f1 = np.nan_to_num(figures.f1)
        return cls(
            (counts.support > 0).astype(np.float64),
            counts.support,
            counts.hits,
            np.nan_to_num(figures.recall),
            f1,
            f1 * counts.support,
        )

    def over(self, kinds: np.ndarray) -> Totals:
        """Terms `[..., C]` summed over the classes of each kind, `kinds` being `[M, C]` bool."""
        members = kinds.astype(np.float64).T
        return Totals(**{name: values @ members for name, values in vars(self).items()})

    def combined(self, other: Totals, how: np.ufunc) -> Totals:
        """`how(ours, theirs)` of each sum."""
        return Totals(**{name: how(values, vars(other)[name]) for name, values in vars(self).items()})
