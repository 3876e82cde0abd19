"""Contract of second stages.

A stage derives from `Stage`, whose methods do nothing, and has those of its own for the moments in which it does
something. In their order: `start` on the model that has the finished run's weights; `attach` before an optimiser is
made; `portable` when weights are saved alone; `remove` when training is over. Where it trains nothing (`trains`), only
the first counts, or the pattern of the runs whose weights it takes the mean of (`mixture`), or `fit_head`, by which a
head is made in place of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from animeid.models.classifier import Classifier


@dataclass(frozen=True)
class Validation:
    """What a choice is made on.

    embeddings: `[N, D]` of the first stage's validation part.
    best: the place of the best among logits `[N, C]` for them.
    """

    embeddings: Tensor
    best: Callable[[Iterable[np.ndarray]], int]


class Stage:
    """A run of its own: the stage that does nothing.

    trains: whether training follows; else the weights are judged as they are.
    fits_head: whether it makes a head of its own from embeddings of training pictures, for which it needs no finished
        run: any weights that the backbone starts from will do, and loss and sampler are its own.
    """

    trains = True
    fits_head = False

    @property
    def mixture(self) -> str | None:
        """A pattern of finished runs, several with colons between them, whose weights the run's are the mean of."""
        return None

    def start(self, model: Classifier, validation: Callable[[], Validation]) -> str | None:  # noqa: ARG002
        """Changes the finished run's weights; returns a sentence for people about it.

        Args:
            model: with the finished run's weights.
            validation: reads the run's validation part.

        Raises:
            InputError: the head is none that the stage can mend, or there is no validation part to choose on.
        """
        return None

    def attach(self, model: Classifier) -> None:
        """Puts what it trains into the model.

        Raises:
            InputError: the head is none that the stage can mend.
        """

    def portable(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A state dict by the names that a model has into which nothing was put."""
        return dict(state)

    def remove(self, model: Classifier) -> None:
        """Leaves a model into which the portable weights fit."""

    def fit_head(self, model: Classifier, embeddings: Tensor, losses: Callable[[Tensor], Tensor]) -> str:
        """Puts a head into the model; returns a sentence for people about it. Called where `fits_head` says so.

        Args:
            model: whose backbone stays.
            embeddings: `[N, D]` float32 of the pictures that the sampler shows.
            losses: their logits `[N, C]` to the loss of each, `[N]`.

        Raises:
            InputError: the head is none that can be fitted.
        """
        raise NotImplementedError
