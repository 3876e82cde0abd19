"""What the figures of a part need of each picture's logits, in one pass of blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.metrics.functional import in_top_k
from animeid.metrics.sureness import sure
from animeid.metrics.workspace import Workspace
from animeid.predictions import CACHE_BYTES, row_blocks
from animeid.system.cores import on_all_cores


@dataclass(frozen=True)
class PictureFigures:
    """Of N pictures, `[N]` each.

    finite: bool, whether every logit is. answer: int64, the likeliest class. confidence: float64, its probability.
    surprise: float64, the nats of the target, its negative log-likelihood. in_top: bool, whether the target is among
    the five likeliest classes. The last two mean nothing of a picture of no class.
    """

    finite: np.ndarray
    answer: np.ndarray
    confidence: np.ndarray
    surprise: np.ndarray
    in_top: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, targets: np.ndarray) -> PictureFigures:
        """Of logits `[N, C]`, which are read a block at a time, and targets `[N]`, -1 being none of the classes."""
        known = np.maximum(targets, 0)
        rows = list(row_blocks(len(logits), 8 * logits.shape[1], CACHE_BYTES)) or [slice(0, 0)]
        space = Workspace()
        blocks = on_all_cores(lambda block: _of_block(np.asarray(logits[block]), known[block], space), rows)
        return cls(*(np.concatenate(column) for column in zip(*blocks, strict=True)))

    def at(self, chosen: np.ndarray) -> PictureFigures:
        """Those of the chosen pictures, `[N]` bool or `[K]` places."""
        return PictureFigures(**{name: values[chosen] for name, values in vars(self).items()})


def _of_block(logits: np.ndarray, targets: np.ndarray, space: Workspace) -> tuple[np.ndarray, ...]:
    answer = logits.argmax(axis=1)
    return np.isfinite(logits).all(axis=1), answer, *sure(logits, targets, answer, space), in_top_k(logits, targets)
