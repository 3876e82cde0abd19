"""A linear classifier fitted to the optimum by L-BFGS, the whole of its data at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

HISTORY = 10
"""How many steps back curvature is told from."""


@dataclass(frozen=True)
class Linear:
    """`logits = W x + b`, float64: weight `[C, D]`, bias `[C]`."""

    weight: Tensor
    bias: Tensor

    def __call__(self, vectors: Tensor) -> Tensor:
        """`[N, D]` to `[N, C]`."""
        return torch.nn.functional.linear(vectors, self.weight, self.bias)


def fit_linear(
    vectors: Tensor,
    losses: Callable[[Tensor], Tensor],
    classes: int,
    *,
    penalty: float,
    start: Linear | None = None,
    steps: int = 500,
    tolerance: float = 1e-5,
) -> Linear:
    """The classifier of the least `mean(losses(logits)) + penalty / 2 |W|^2`; the bias is free.

    With cross entropy that is multinomial logistic regression, whose optimum is one, so that neither a start nor a
    seed moves it. A line search by strong Wolfe conditions makes every step go down (Nocedal and Wright 2006, Numerical
    Optimization, algorithms 3.5 and 7.5).

    Args:
        vectors: `[N, D]`.
        losses: logits `[N, C]` float64 to the loss of each vector, `[N]`.
        classes: C.
        penalty: above 0; in scikit-learn's terms `1 / (C N)`.
        start: where to begin; zeros by default.
        steps: at most so many.
        tolerance: the largest entry of the gradient at which it is over.
    """
    vectors = vectors.double()
    first = start or Linear(vectors.new_zeros(classes, vectors.shape[1]), vectors.new_zeros(classes))
    weight, bias = (tensor.clone().requires_grad_() for tensor in (first.weight, first.bias))
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=steps,
        tolerance_grad=tolerance,
        tolerance_change=0.0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        solver.zero_grad()
        value = losses(Linear(weight, bias)(vectors)).mean() + penalty / 2 * weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        solver.step(objective)
    return Linear(weight.detach(), bias.detach())
