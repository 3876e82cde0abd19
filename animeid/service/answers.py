"""What is answered to a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from animeid.deploy.runtime import Runtime
from animeid.predictions import highest, top_names
from animeid.retrieval.class_means import nearest_distance
from animeid.retrieval.neighbours import cosines_to

UNKNOWN = "unknown"
"""The character of a picture that is none of the artefact's."""
ENTRY_BYTES = 500
"""Memory of a dictionary in an answer, with what it holds."""
NEAREST = 3
"""Reference pictures of an answer, where the artefact carries some."""


@dataclass(frozen=True)
class Named:
    """What a network said of a picture.

    names: `label` and `probability` each, likeliest first, as `predict` writes them.
    target: the likeliest class.
    margin: how much likelier the likeliest name is than the next.
    references: `label`, `similarity` and `picture` (its place in the artefact) each, the most similar first.
    distance: of the embedding to the nearest class mean; None where the artefact carries none.
    """

    names: tuple[Mapping[str, Any], ...]
    target: int
    margin: float
    references: tuple[Mapping[str, Any], ...]
    distance: float | None

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return ENTRY_BYTES * (1 + len(self.names) + len(self.references))

    @property
    def likeliest(self) -> str:
        return self.names[0]["label"]

    @property
    def confidence(self) -> float:
        return self.names[0]["probability"]


def named(runtime: Runtime, embedding: np.ndarray, logits: np.ndarray, k: int) -> Named:
    """The names of a picture and its nearest references.

    Args:
        runtime: whose network answered.
        embedding: `[D]`. logits: `[C]`.
        k: names at most.
    """
    names = top_names(runtime.tempered(logits[None]), runtime.labels, max(k, 2))[0]
    second = names[1]["probability"] if len(names) > 1 else 0.0
    return Named(
        names=tuple(names[:k]),
        target=int(logits.argmax()),
        margin=names[0]["probability"] - second,
        references=tuple(_references(runtime, embedding)),
        distance=None if (means := runtime.artefact.means) is None else nearest_distance(embedding, means),
    )


def _references(runtime: Runtime, embedding: np.ndarray) -> list[dict[str, Any]]:
    bank, directions = runtime.artefact.references, runtime.artefact.reference_directions
    if bank is None or directions is None:
        return []
    similarities = cosines_to(embedding, directions)
    places = highest(similarities[None], min(NEAREST, len(similarities)))[0]
    return [
        {"label": runtime.labels[bank["targets"][at]], "similarity": float(similarities[at]), "picture": int(at)}
        for at in places
    ]
