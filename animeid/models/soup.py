"""Greedy soup: the mean of the weights of those models that validation gains by (Wortsman 2022, arXiv 2203.05482)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from animeid.models.stage_contract import Stage
from animeid.values import PathsText

State = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class GreedySoup(Stage):
    """A stage that takes the mean of finished runs; nothing is trained.

    runs: a pattern of their folders, or several with colons between them; the run of `from_run` belongs to them anyway.
    """

    trains = False

    runs: PathsText

    @property
    def mixture(self) -> str:
        return self.runs


def mean_state(states: Sequence[State]) -> dict[str, Tensor]:
    """The mean of every tensor; whole numbers, which are counts, are those of the first."""
    first = states[0]
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.items()
    }


def greedy_soup(number: int, score: Callable[[Sequence[int]], float]) -> tuple[list[int], list[float]]:
    """Which models make the soup (recipe 1 of the paper): each is taken in if the mean with it scores no lower.

    Args:
        number: of models, by falling score of their own.
        score: on validation, of the mean of the models in these places.

    Returns:
        The places of those that were taken in, and the score of the soup after each model.
    """
    taken, scores = [0], [score([0])]
    for place in range(1, number):
        found = score([*taken, place])
        if found >= scores[-1]:
            taken.append(place)
        scores.append(max(found, scores[-1]))
    return taken, scores
