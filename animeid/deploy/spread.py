"""What answers to judged pictures look like, for whoever watches later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from animeid.predictions import Predictions, softmax
from animeid.retrieval.class_means import FEWEST, class_means, held_out_distances

CONFIDENCE_BINS = 20
DISTANCE_BINS = 10
BY_TWIN = "the judged pictures were answered by the twin of this network, whose embeddings are others"
TOO_FEW = f"no class has {FEWEST} judged pictures"


@dataclass(frozen=True)
class Spread:
    """Counts of pictures.

    counts: `confidence` by the probability of the likeliest name, in `CONFIDENCE_BINS` equal parts of 0 to 1;
        `characters` by that name, `[C]`; `distance` by that to the nearest class mean, in `DISTANCE_BINS` parts that
        hold about as many pictures each, with the `edges` between them, or `no_distance`, why there are none.
    means: `[M, D]` float32 of `class_means`, or None.
    """

    counts: dict[str, Any]
    means: np.ndarray | None

    @classmethod
    def of(cls, answers: Predictions, targets: np.ndarray, *, by_twin: bool) -> Spread:
        """Of answers whose logits have the artefact's temperature, and their `[N]` targets.

        Args:
            by_twin: whether another network made the embeddings than the one that is exported.
        """
        confidence = softmax(np.array(answers.logits)).max(axis=1)
        counts = {
            "confidence": np.histogram(confidence, CONFIDENCE_BINS, (0, 1))[0].tolist(),
            "characters": np.bincount(answers.logits.argmax(axis=1), minlength=answers.logits.shape[1]).tolist(),
        }
        means = class_means(answers.embeddings, targets)
        if by_twin or not len(means):
            return cls({**counts, "no_distance": BY_TWIN if by_twin else TOO_FEW}, None)
        found = held_out_distances(answers.embeddings, targets)
        edges = np.unique(np.quantile(found, np.arange(1, DISTANCE_BINS) / DISTANCE_BINS).astype(np.float32))
        binned = np.bincount(np.searchsorted(edges, found, side="right"), minlength=len(edges) + 1)
        return cls({**counts, "distance": {"edges": edges.tolist(), "counts": binned.tolist()}}, means)
