"""How far an engine's answers differ from those of PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from animeid.deploy.parity.pictures import ParityPictures
from animeid.metrics.adjustment import f1_macro_of
from animeid.metrics.paired import Difference, paired_difference


class EngineAnswers(NamedTuple):
    """embeddings: `[K, D]` float32. logits: `[K, C]` float32."""

    embeddings: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """An engine's answers beside the reference's.

    relative_error: the larger one of logits and embeddings, as the norm of the difference by that of the reference.
    top1: share of pictures that are named alike.
    f1_macro: of the engine. f1_difference: by how much that exceeds the reference's, on the same pictures.
    neighbour: share of pictures whose nearest neighbour is the same picture.
    neighbour_accuracy: share whose nearest neighbour is of their class. neighbour_difference: by how much that exceeds
        the reference's. None where no picture has a neighbour.
    """

    relative_error: float
    top1: float
    f1_macro: float
    f1_difference: Difference
    neighbour: float | None
    neighbour_accuracy: float | None
    neighbour_difference: float | None

    @classmethod
    def of(
        cls, found: EngineAnswers, reference: EngineAnswers, pictures: ParityPictures, num_classes: int
    ) -> Agreement:
        named, expected = found.logits.argmax(1), reference.logits.argmax(1)
        own, theirs = (nearest_neighbours(one.embeddings, pictures.groups) for one in (found, reference))
        right, right_theirs = (pictures.targets[near] == pictures.targets for near in (own, theirs))
        has = bool(len(set(pictures.groups.tolist())) > 1)
        return cls(
            relative_error=max(map(relative_error, found, reference)),
            top1=float(np.mean(named == expected)),
            f1_macro=f1_macro_of(named, pictures.targets, num_classes),
            f1_difference=paired_difference(pictures.targets, pictures.groups, named, expected, num_classes),
            neighbour=float(np.mean(own == theirs)) if has else None,
            neighbour_accuracy=float(right.mean()) if has else None,
            neighbour_difference=float(right.mean() - right_theirs.mean()) if has else None,
        )

    @property
    def record(self) -> dict[str, Any]:
        """For `parity.json`."""
        one = self.f1_difference
        return {
            # More digits change from machine to machine, and an artefact's version with them.
            "relative_error": float(f"{self.relative_error:.0e}"),
            "top1_agreement": self.top1,
            "f1_macro": self.f1_macro,
            "f1_macro_difference": one.difference,
            "f1_macro_difference_ci": None if one.low is None else [one.low, one.high],
            "nearest_neighbour_agreement": self.neighbour,
            "nearest_neighbour_accuracy": self.neighbour_accuracy,
            "nearest_neighbour_accuracy_difference": self.neighbour_difference,
        }


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The norm of the difference of two arrays by that of the expected one."""
    scale = float(np.linalg.norm(expected.astype(np.float64)))
    error = float(np.linalg.norm(found.astype(np.float64) - expected))
    return error / scale if scale else error


def nearest_neighbours(embeddings: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """`[K]` places of the pictures whose embeddings `[K, D]` are nearest by cosine; none of the picture's own group.

    A picture's copies are always near, whatever a network has become.
    """
    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    cosines = directions @ directions.T
    cosines[groups[:, None] == groups[None, :]] = -np.inf
    return cosines.argmax(axis=1)
