"""The losses' mathematics against torch, torchvision and versions written out from the papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from timm.loss import AsymmetricLossSingleLabel
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from animeid.errors import InputError
from animeid.losses.functional import (
    asymmetric,
    cross_entropy,
    effective_number_weights,
    focal,
    ldam,
    poly1,
    seesaw,
)
from animeid.numerics import class_shares

B, C = 7, 5
COUNTS = torch.tensor([900.0, 80.0, 30.0, 30.0, 2.0], dtype=torch.float64)
MARGINS = torch.tensor([0.1, 0.2, 0.3, 0.3, 0.5], dtype=torch.float64)
WEIGHT = torch.tensor([0.5, 2.0, 1.0, 0.25, 1.25], dtype=torch.float64)

LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": cross_entropy,
    "smoothed": partial(cross_entropy, label_smoothing=0.1),
    "focal": partial(focal, gamma=2.0),
    "focal of a low gamma": partial(focal, gamma=0.5),
    "weighted": partial(cross_entropy, label_smoothing=0.1, weight=WEIGHT),
    "weighted focal": partial(focal, gamma=1.5, weight=WEIGHT),
    "poly1": partial(poly1, epsilon=2.0),
    "asymmetric": partial(asymmetric, gamma_positive=1.0, gamma_negative=4.0, label_smoothing=0.1),
    "ldam": partial(ldam, margins=MARGINS),
    # Without compensation, whose factors have no gradient though they depend on the logits.
    "seesaw": partial(seesaw, counts=COUNTS, mitigation=0.8, compensation=0.0),
}


@pytest.fixture
def logits() -> Tensor:
    return 3 * torch.randn(B, C, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def hard() -> Tensor:
    return torch.tensor([0, 1, 4, -1, 2, 2, 3])


@pytest.fixture
def mixed() -> Tensor:
    return torch.rand(B, C, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).softmax(1)


def naive_focal(logits: Tensor, target: Tensor, gamma: float, weight: Tensor | None = None) -> list[float]:
    """Equation 4 of Lin 2017, a picture at a time."""
    values = []
    for row, label in zip(logits.tolist(), target.tolist(), strict=True):
        if label == -1:
            values.append(0.0)
            continue
        p = math.exp(row[label]) / sum(math.exp(value) for value in row)
        alpha = 1.0 if weight is None else float(weight[label])
        values.append(-alpha * (1 - p) ** gamma * math.log(p))
    return values


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_that_of_torch(
    logits: Tensor, hard: Tensor, mixed: Tensor, smoothing: float, weight: Tensor | None
) -> None:
    for target in (hard, mixed):
        ours = cross_entropy(logits, target, label_smoothing=smoothing, weight=weight)
        theirs = F.cross_entropy(logits, target, weight, ignore_index=-1, reduction="none", label_smoothing=smoothing)
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_is_that_of_the_paper(logits: Tensor, hard: Tensor, gamma: float, weight: Tensor | None) -> None:
    expected = torch.tensor(naive_focal(logits, hard, gamma, weight), dtype=torch.float64)
    torch.testing.assert_close(focal(logits, hard, gamma=gamma, weight=weight), expected)


def test_focal_of_gamma_0_is_cross_entropy(logits: Tensor, hard: Tensor, mixed: Tensor) -> None:
    for target in (hard, mixed):
        torch.testing.assert_close(focal(logits, target, gamma=0.0), cross_entropy(logits, target))


def test_focal_of_two_classes_is_the_sigmoid_form() -> None:
    x = torch.linspace(-8, 8, 33, dtype=torch.float64)
    target = torch.arange(33) % 2
    ours = focal(torch.stack([torch.zeros_like(x), x], 1), target, gamma=2.0)
    theirs = sigmoid_focal_loss(x, target.double(), alpha=-1, gamma=2.0, reduction="none")
    torch.testing.assert_close(ours, theirs)


def softmax(row: list[float]) -> list[float]:
    return [math.exp(value) / sum(math.exp(other) for other in row) for value in row]


def test_poly1_is_that_of_the_paper(logits: Tensor, hard: Tensor) -> None:
    expected = [
        0.0 if label == -1 else -math.log(softmax(row)[label]) + 1.5 * (1 - softmax(row)[label])
        for row, label in zip(logits.tolist(), hard.tolist(), strict=True)
    ]
    torch.testing.assert_close(poly1(logits, hard, epsilon=1.5), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_asymmetric_is_that_of_timm(logits: Tensor, smoothing: float) -> None:
    target = torch.tensor([0, 1, 4, 0, 2, 2, 3])
    theirs = AsymmetricLossSingleLabel(gamma_pos=1, gamma_neg=4, eps=smoothing, reduction="none")
    ours = asymmetric(logits, target, gamma_positive=1, gamma_negative=4, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs(logits, target))


def test_ldam_is_that_of_the_paper(logits: Tensor, hard: Tensor) -> None:
    expected = []
    for row, label in zip(logits.tolist(), hard.tolist(), strict=True):
        own = math.exp(row[label] - float(MARGINS[label]))
        others = sum(math.exp(value) for index, value in enumerate(row) if index != label)
        expected.append(0.0 if label == -1 else -math.log(own / (own + others)))
    torch.testing.assert_close(ldam(logits, hard, margins=MARGINS), torch.tensor(expected, dtype=torch.float64))


def naive_seesaw_factor(p: list[float], i: int, j: int, mitigation: float, compensation: float) -> float:
    """Equations 4, 5 and 7 of Wang 2021."""
    of_counts = 1.0 if COUNTS[i] <= COUNTS[j] else float(COUNTS[j] / COUNTS[i]) ** mitigation
    return of_counts * (1.0 if p[j] <= p[i] else (p[j] / p[i]) ** compensation)


@pytest.mark.parametrize(("mitigation", "compensation"), [(0.8, 2.0), (0.8, 0.0), (0.0, 2.0)])
def test_seesaw_is_that_of_the_paper(logits: Tensor, hard: Tensor, mitigation: float, compensation: float) -> None:
    logits.requires_grad_()
    ours = seesaw(logits, hard, counts=COUNTS, mitigation=mitigation, compensation=compensation)
    expected = []
    for row, label in zip(logits, hard.tolist(), strict=True):
        if label == -1:
            expected.append(row.sum() * 0)
            continue
        p = softmax(row.tolist())
        factors = [naive_seesaw_factor(p, label, j, mitigation, compensation) for j in range(C)]
        below = sum(factor * row[j].exp() for j, factor in enumerate(factors))
        expected.append(-(row[label].exp() / below).log())
    torch.testing.assert_close(ours, torch.stack(expected))
    theirs = torch.autograd.grad(torch.stack(expected).sum(), logits)[0]
    torch.testing.assert_close(torch.autograd.grad(ours.sum(), logits)[0], theirs)


def test_seesaw_without_factors_is_cross_entropy(logits: Tensor, hard: Tensor, mixed: Tensor) -> None:
    for target in (hard, mixed):
        plain = seesaw(logits, target, counts=COUNTS, mitigation=0.0, compensation=0.0)
        torch.testing.assert_close(plain, cross_entropy(logits, target))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str, logits: Tensor, hard: Tensor, mixed: Tensor) -> None:
    for target in (hard, mixed):
        assert torch.autograd.gradcheck(lambda x, t=target: LOSSES[name](x, t), logits.clone().requires_grad_())


@pytest.mark.parametrize("name", LOSSES)
def test_a_mixed_target_costs_what_its_classes_cost(name: str, logits: Tensor, mixed: Tensor) -> None:
    alone = torch.stack([LOSSES[name](logits, torch.full((B,), label)) for label in range(C)], 1)
    torch.testing.assert_close(LOSSES[name](logits, mixed), (mixed * alone).sum(1))


@pytest.mark.parametrize("unknown", [0.0, -1.0])
@pytest.mark.parametrize("name", LOSSES)
def test_rows_of_no_class_cost_nothing(name: str, unknown: float, logits: Tensor, mixed: Tensor) -> None:
    mixed[2] = unknown
    logits.requires_grad_()
    value = LOSSES[name](logits, mixed)
    value.sum().backward()
    assert value[2] == 0
    assert logits.grad is not None
    assert (logits.grad[2] == 0).all()
    assert (logits.grad[[0, 1, 3, 4, 5, 6]] != 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_extreme_logits_give_finite_losses_and_gradients(name: str, hard: Tensor) -> None:
    for scale in (1e2, 1e4, 1e30):
        logits = torch.zeros(B, C)
        logits[:, 1] = scale
        logits.requires_grad_()
        value = LOSSES[name](logits, hard)
        value.sum().backward()
        assert torch.isfinite(value).all()
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


def test_focal_of_a_hopeless_picture_is_its_distance() -> None:
    value = focal(torch.tensor([[1000.0, 0.0]]), torch.tensor([1]), gamma=2.0)
    torch.testing.assert_close(value, torch.tensor([1000.0]))


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_is_computed_in_float32(name: str, logits: Tensor, hard: Tensor) -> None:
    half = logits.to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = LOSSES[name](half, hard)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), LOSSES[name](half.double(), hard), rtol=1e-5, atol=1e-6)


def test_a_mixed_target_of_other_classes_is_refused(logits: Tensor) -> None:
    with pytest.raises(ValueError, match="mixed targets are"):
        class_shares(logits, torch.ones(B, 1))


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 0.9999])
def test_effective_number_weights_are_those_of_the_paper(beta: float) -> None:
    counts = [500, 60, 7, 1]
    naive = [(1 - beta) / (1 - beta**count) for count in counts]
    expected = torch.tensor(naive, dtype=torch.float64) * len(counts) / sum(naive)
    ours = effective_number_weights(torch.tensor(counts), beta, "abcd")
    torch.testing.assert_close(ours, expected)
    assert ours.mean() == pytest.approx(1.0)


def test_effective_number_weights_range_from_equal_to_inverse() -> None:
    counts = torch.tensor([400.0, 40.0, 4.0], dtype=torch.float64)
    assert effective_number_weights(counts, 0.0, "abc").tolist() == pytest.approx([1.0] * 3)
    inverse = effective_number_weights(counts, 1 - 1e-12, "abc")
    assert (inverse * counts / inverse[2] / 4).tolist() == pytest.approx([1.0] * 3, rel=1e-6)


def test_a_class_without_pictures_has_no_weight() -> None:
    with pytest.raises(InputError, match=r"every class, and Miku, 初音 has none"):
        effective_number_weights(torch.tensor([3, 0, 0]), 0.9, ("Rin", "Miku", "初音"))
    with pytest.raises(InputError, match="and 2 more has none"):
        effective_number_weights(torch.zeros(7), 0.9, "abcdefg")
