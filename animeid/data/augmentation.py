"""Contract of augmentations.

An augmentation is built with `image_size` (H, W), then with the values of its card, and called with a picture, a seed
and the picture's class. One whose changes depend on the classes, or change over the run, is told what it needs: the
counts of the classes before the first picture comes; and, where it has `follow`, how sure training is of each class.
What it has become is its state, a dict of plain values, which is saved with the data's. A transform that is only called
is taken as well: `Steady` is the part of the contract that is empty for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from animeid.data.dataset import Transform
from animeid.terms import UNKNOWN_TARGET


@runtime_checkable
class Augmentation(Protocol):
    """Changes training pictures."""

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET, /) -> np.ndarray:
        """`[h, w, 3]` uint8 to `[H, W, 3]` uint8; writes nothing to what it is given."""
        ...

    def look_at(self, counts: np.ndarray) -> None:
        """Takes in the training pictures of each class, `[C]`, before the first picture comes."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Plain values that a run needs to go on."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes in a state, or one with other keys beside, or the empty one of a version before."""
        ...


@runtime_checkable
class FollowsConfidence(Protocol):
    """An augmentation that learns from training and validation."""

    def follow(self, fitted: Tensor, held_out: Tensor) -> None:
        """Takes in the mean probabilities of the right class over each class's pictures, both `[C]`, 0 to 1.

        Args:
            fitted: over an epoch's draws of training pictures; NaN for a class without any.
            held_out: over validation pictures; NaN for a class without any.
        """
        ...


class Steady:
    """A transform that asks for nothing and keeps nothing.

    Args:
        transform: that changes them.
    """

    def __init__(self, transform: Any) -> None:
        self.transform = transform
        # None has not the trait, as the transform has not.
        self.follow: Callable[[Tensor, Tensor], None] | None = None
        if isinstance(transform, FollowsConfidence):
            self.follow = transform.follow

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET) -> np.ndarray:
        return self.transform(image, seed, target)

    def look_at(self, counts: np.ndarray) -> None:
        """Takes nothing in."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores nothing."""


def as_augmentation(transform: Transform | Augmentation) -> Augmentation:
    """A transform with the rest of the contract."""
    return transform if isinstance(transform, Augmentation) else Steady(transform)
