"""The fit of a linear classifier against scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from animeid.optim.linear_fit import Linear, fit_linear

CLASSES = 4


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    targets = random.choice(CLASSES, 120, p=[0.6, 0.2, 0.15, 0.05])
    return random.normal(size=(CLASSES, 6))[targets] + random.normal(size=(120, 6)), targets


def fitted(vectors: np.ndarray, targets: np.ndarray, penalty: float, log_prior: torch.Tensor | float = 0.0) -> Linear:
    goal = torch.from_numpy(targets)
    return fit_linear(
        torch.from_numpy(vectors),
        lambda logits: functional.cross_entropy(logits + log_prior, goal, reduction="none"),
        CLASSES,
        penalty=penalty,
        tolerance=1e-9,
    )


@pytest.mark.parametrize("penalty", [0.3, 0.01])
def test_it_is_logistic_regression(penalty: float) -> None:
    vectors, targets = drawn()
    found = fitted(vectors, targets, penalty)
    theirs = LogisticRegression(C=1 / (penalty * len(vectors)), tol=1e-10, max_iter=5000).fit(vectors, targets)
    np.testing.assert_allclose(found.weight.numpy(), theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(found.bias.numpy() - found.bias.numpy().mean(), theirs.intercept_, atol=1e-4)


def test_a_prior_in_the_loss_is_one_taken_off_afterwards() -> None:
    # The free bias takes it up, so that equations 9 and 10 of Menon 2021 (arXiv 2007.07314) are the same here.
    vectors, targets = drawn()
    log_prior = torch.from_numpy(np.bincount(targets, minlength=CLASSES) / len(targets)).log()
    inside, plain = fitted(vectors, targets, 0.05, log_prior), fitted(vectors, targets, 0.05)
    torch.testing.assert_close(inside.weight, plain.weight, atol=1e-5, rtol=0)
    moved = plain.bias - log_prior
    torch.testing.assert_close(inside.bias - inside.bias.mean(), moved - moved.mean(), atol=1e-5, rtol=0)


def test_where_it_begins_moves_nothing() -> None:
    vectors, targets = drawn()
    goal, random = torch.from_numpy(targets), torch.Generator().manual_seed(0)
    start = Linear(torch.randn(CLASSES, 6, generator=random).double(), torch.zeros(CLASSES).double())
    losses = lambda logits: functional.cross_entropy(logits, goal, reduction="none")  # noqa: E731
    found = fit_linear(torch.from_numpy(vectors), losses, CLASSES, penalty=0.05, start=start, tolerance=1e-9)
    torch.testing.assert_close(found.weight, fitted(vectors, targets, 0.05).weight, atol=1e-6, rtol=0)
