"""What names pictures: a run's model or an artefact's, as one class for those who ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from animeid.data.pictures import Picture, Pictures, pictures_of
from animeid.inference.unreadable import only_readable
from animeid.predictions import Predictions, top_names


class Namer(ABC):
    """Pictures to answers, and answers to names.

    temperature: what logits are divided by before they become probabilities.
    incomplete: whether pictures that lack pixels are answered by what there is.
    """

    temperature: float
    incomplete: bool

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""

    @abstractmethod
    def answers(self, pictures: list[Picture]) -> Iterator[tuple[Predictions, Sequence[str]]]:
        """Answers as they come, with progress, and why each picture could not be read, or ""."""

    def __call__(self, pictures: Picture | Pictures) -> Predictions:
        """Answers pictures, with progress; what cannot be read is said and left out.

        Args:
            pictures: a file, a folder or a glob pattern, whose files are taken in the order of `find_pictures`; one
                PIL picture or `[h, w, 3]` uint8 RGB array; or several files, pictures and arrays.

        Returns:
            `rows` are the places of the pictures among those given; `losses` are NaN.

        Raises:
            InputError: there is no picture, or none that can be read.
        """
        given = pictures_of(pictures)
        return only_readable(given, self.answers(given), self.incomplete)

    def names(self, predictions: Predictions, k: int = 5) -> list[list[dict[str, Any]]]:
        """The `k` likeliest names of each picture, likeliest first: `label` and `probability` each."""
        return top_names(self.tempered(predictions.logits), self.labels, k)

    def tempered(self, logits: np.ndarray) -> np.ndarray:
        """`[N, C]` logits that make the probabilities of these answers."""
        return logits if self.temperature == 1.0 else logits / self.temperature
