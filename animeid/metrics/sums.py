"""Sufficient statistics by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from animeid.metrics.functional import ECE_BINS, ClassCounts, calibration_bin
from animeid.metrics.pictures import PictureFigures


@dataclass(frozen=True)
class Layout:
    """Where each quantity stands in a vector of sums.

    A part's sums, `[..., width]`, hold support, predicted and hits of each class; where the answers are logits, also
    confidences and hits of each calibration bin, then top-5 hits, negative log-likelihood and loss.
    """

    num_classes: int
    with_logits: bool

    @property
    def width(self) -> int:
        return 3 * self.num_classes + (2 * ECE_BINS + 3 if self.with_logits else 0)

    def counts(self, sums: np.ndarray) -> ClassCounts:
        end = self.num_classes
        return ClassCounts(sums[..., :end], sums[..., end : 2 * end], sums[..., 2 * end : 3 * end])

    def rest(self, sums: np.ndarray) -> np.ndarray:
        """What belongs to no class, `[..., width - 3 C]`."""
        return sums[..., 3 * self.num_classes :]

    @staticmethod
    def bins(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Confidences and hits of each bin, `[..., K]` each, of sums or of their `rest`."""
        end = -3 - ECE_BINS
        return sums[..., end - ECE_BINS : end], sums[..., end:-3]

    @staticmethod
    def extras(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Top-5 hits, negative log-likelihood and loss, `[...]` each, of sums or of their `rest`."""
        return sums[..., -3], sums[..., -2], sums[..., -1]


@dataclass(frozen=True)
class GroupSums:
    """Sums of each of G groups, sparse since a group touches few classes: `[G, layout.width]`."""

    layout: Layout
    table: csr_array

    @property
    def num_groups(self) -> int:
        return self.table.shape[0]

    @property
    def total(self) -> np.ndarray:
        """`[width]`, the sums of the part."""
        return np.asarray(self.table.sum(axis=0)).ravel()

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """`[R, width]`: the sums with group g counted `weights[r, g]` times."""
        return np.asarray((self.table.T @ weights.T).T)

    def groups_per_class(self) -> np.ndarray:
        """`[C]` int64: in how many groups each class has pictures."""
        support = self.table[:, : self.layout.num_classes]
        return np.asarray((support > 0).sum(axis=0)).ravel().astype(np.int64)

    def groups_touching(self, classes: np.ndarray) -> int:
        """How many groups have pictures of the chosen classes (`[C]` bool)."""
        support = self.table[:, : self.layout.num_classes]
        return int((support @ classes.astype(np.float64) > 0).sum())


Entries = list[tuple[np.ndarray, np.ndarray]]
"""Columns `[N]` and values `[N]` that pictures add to their groups' sums."""


def _prediction_entries(predicted: np.ndarray, targets: np.ndarray, num_classes: int) -> Entries:
    ones = np.ones(len(targets))
    return [
        (targets, ones),
        (num_classes + predicted, ones),
        (2 * num_classes + targets, (predicted == targets).astype(np.float64)),
    ]


def _logit_entries(pictures: PictureFigures, targets: np.ndarray, losses: np.ndarray, width: int) -> Entries:
    bins = width - 3 - 2 * ECE_BINS + calibration_bin(pictures.confidence)
    first = np.zeros(len(targets), dtype=np.int64)
    return [
        (bins, pictures.confidence),
        (bins + ECE_BINS, (pictures.answer == targets).astype(np.float64)),
        (first + width - 3, pictures.in_top.astype(np.float64)),
        (first + width - 2, pictures.surprise),
        (first + width - 1, losses.astype(np.float64)),
    ]


def _collect(layout: Layout, groups: np.ndarray, entries: Entries) -> GroupSums:
    names, number = np.unique(groups, return_inverse=True)
    columns = np.concatenate([column for column, _ in entries])
    values = np.concatenate([value for _, value in entries])
    rows = np.tile(number, len(entries))
    return GroupSums(layout, coo_array((values, (rows, columns)), shape=(len(names), layout.width)).tocsr())


def sums_of_predictions(predicted: np.ndarray, targets: np.ndarray, groups: np.ndarray, num_classes: int) -> GroupSums:
    """Group sums of bare predictions; all arrays `[N]`, every target a class."""
    layout = Layout(num_classes, with_logits=False)
    return _collect(layout, groups, _prediction_entries(predicted, targets, num_classes))


def sums_of_pictures(
    pictures: PictureFigures, targets: np.ndarray, groups: np.ndarray, losses: np.ndarray, num_classes: int
) -> GroupSums:
    """Group sums of what logits say; all arrays `[N]`, every target a class."""
    layout = Layout(num_classes, with_logits=True)
    entries = _prediction_entries(pictures.answer, targets, num_classes)
    return _collect(layout, groups, entries + _logit_entries(pictures, targets, losses, layout.width))


def sums_of_logits(logits: np.ndarray, targets: np.ndarray, groups: np.ndarray, losses: np.ndarray) -> GroupSums:
    """Group sums of logits `[N, C]`; the others `[N]`, every target a class."""
    return sums_of_pictures(PictureFigures.of(logits, targets), targets, groups, losses, logits.shape[1])
