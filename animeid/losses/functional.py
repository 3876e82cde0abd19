"""The mathematics of the losses: pure functions of logits and targets.

Shape letters: B pictures, C classes. A target is hard, `[B]` int64 with -1 for none of the classes, or mixed,
`[B, C]` shares of each class; a mixed row of zeros, or of -1, is none of the classes. Every loss here is linear in the
shares: a mixed row costs the weighted sum of its classes' losses, and a row without a class costs 0 and has no
gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from animeid.errors import InputError
from animeid.numerics import class_shares, full_precision
from animeid.system.console import some_of
from animeid.terms import UNKNOWN_TARGET

MANY_NAMES = 5


def smooth(shares: Tensor, label_smoothing: float) -> Tensor:
    """Moves a part of each row's share to all classes alike (Szegedy 2016, arXiv 1512.00567, section 7).

    Args:
        shares: `[B, C]`; the sum of a row stays what it is, so that a row of zeros stays one.
        label_smoothing: the part that moves, 0 to 1.
    """
    spread = shares.sum(1, keepdim=True) / shares.shape[1]
    return torch.lerp(shares, spread, label_smoothing)


def cross_entropy(
    logits: Tensor, target: Tensor, *, label_smoothing: float = 0.0, weight: Tensor | None = None
) -> Tensor:
    """`-sum_c w_c t_c log p_c`, `[B]`, with p the softmax of the logits and t the smoothed target.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        weight: `[C]`, one weight a class; all 1 by default.
    """
    logits = full_precision(logits)
    shares = smooth(class_shares(logits, target), label_smoothing)
    return _weighted_sum(shares, -logits.log_softmax(1), weight)


def focal(logits: Tensor, target: Tensor, *, gamma: float, weight: Tensor | None = None) -> Tensor:
    """`-sum_c w_c t_c (1 - p_c)^gamma log p_c`, `[B]`: equation 4 of Lin 2017 (arXiv 1708.02002), for a softmax.

    The paper's detector has a sigmoid for each class; here the classes exclude each other, and p is the softmax. With
    two classes both are the same. `gamma = 0` is cross entropy.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        gamma: how much less a picture counts that is already right.
        weight: `[C]`, one weight a class (the paper's alpha); all 1 by default.
    """
    logits = full_precision(logits)
    log_p = logits.log_softmax(1)
    # Where p rounds to 1 the power has an infinite slope for gamma < 1, and 0 * inf would make the gradient NaN.
    wrong = (-log_p.expm1()).clamp_min(torch.finfo(logits.dtype).tiny)
    return _weighted_sum(class_shares(logits, target), -(wrong**gamma) * log_p, weight)


def _weighted_sum(shares: Tensor, costs: Tensor, weight: Tensor | None) -> Tensor:
    if weight is not None:
        costs = costs * weight.to(costs.dtype)
    return (shares * costs).sum(1)


def poly1(logits: Tensor, target: Tensor, *, epsilon: float) -> Tensor:
    """`sum_c t_c (-log p_c + epsilon (1 - p_c))`, `[B]`: equation 6 of Leng 2022 (arXiv 2204.12511).

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        epsilon: what is added to the first coefficient of cross entropy's expansion in `1 - p`.
    """
    logits = full_precision(logits)
    log_p = logits.log_softmax(1)
    return _weighted_sum(class_shares(logits, target), -log_p - epsilon * log_p.expm1(), None)


def asymmetric(
    logits: Tensor, target: Tensor, *, gamma_positive: float, gamma_negative: float, label_smoothing: float
) -> Tensor:
    """Ridnik 2021 (arXiv 2009.14119) in the authors' form for one label a picture, `[B]`.

    With `t'` the smoothed target of class i, the cost of class i is
    `-t'_i (1 - p_i)^gamma_positive log p_i - sum_{c != i} t'_c p_c^gamma_negative log p_c`: what smoothing asks of the
    other classes is asked of those only that have some probability.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
    """
    logits = full_precision(logits)
    log_p = logits.log_softmax(1)
    tiny = torch.finfo(logits.dtype).tiny
    positive = -((-log_p.expm1()).clamp_min(tiny) ** gamma_positive) * log_p
    negative = -(log_p.exp().clamp_min(tiny) ** gamma_negative) * log_p
    rest = label_smoothing / logits.shape[1]
    costs = (1 - label_smoothing + rest) * positive + rest * (negative.sum(1, keepdim=True) - negative)
    return _weighted_sum(class_shares(logits, target), costs, None)


def ldam(logits: Tensor, target: Tensor, *, margins: Tensor) -> Tensor:
    """`sum_i t_i (-log(e^(z_i - m_i) / (e^(z_i - m_i) + sum_{c != i} e^z_c)))`, `[B]`.

    Equation 13 of Cao 2019 (arXiv 1906.07413): a class must win by its margin.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        margins: `[C]`, in the unit of the logits.
    """
    logits = full_precision(logits)
    rows, classes, shares = _present(logits, target)
    own = logits[rows, classes] - margins.to(logits.dtype)[classes]
    costs = logits[rows].scatter(1, classes[:, None], own[:, None]).logsumexp(1) - own
    return _summed(logits, rows, shares * costs)


def seesaw(logits: Tensor, target: Tensor, *, counts: Tensor, mitigation: float, compensation: float) -> Tensor:
    """`sum_i t_i (-log(e^z_i / (sum_{j != i} S_ij e^z_j + e^z_i)))`, `[B]`: Wang 2021 (arXiv 2008.10032), eq. 3 to 7.

    `S_ij = M_ij C_ij`. The mitigation factor `M_ij = min(1, (N_j / N_i)^p)` eases what a frequent class's picture asks
    of rarer classes; the compensation factor `C_ij = max(1, (p_j / p_i)^q)` takes it back where the picture is
    mistaken for j. Neither has a gradient.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        counts: `[C]`, above 0.
        mitigation, compensation: p and q.
    """
    logits = full_precision(logits)
    log_p, log_counts = logits.detach().log_softmax(1), counts.to(logits.dtype).log()
    rows, classes, shares = _present(logits, target)
    ratio = log_counts - log_counts[classes, None]
    excess = log_p[rows] - log_p[rows, classes][:, None]
    log_factors = mitigation * ratio.clamp_max(0) + compensation * excess.clamp_min(0)
    costs = (logits[rows] + log_factors).logsumexp(1) - logits[rows, classes]
    return _summed(logits, rows, shares * costs)


def _present(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, classes and shares, each `[K]`, of what a target holds; a hard one has one entry a row."""
    if target.ndim == 1:
        known = target != UNKNOWN_TARGET
        rows = torch.arange(len(target), device=target.device)
        return rows, target.where(known, 0), known.to(logits.dtype)
    shares = class_shares(logits, target)
    rows, classes = shares.nonzero(as_tuple=True)
    return rows, classes, shares[rows, classes]


def _summed(logits: Tensor, rows: Tensor, costs: Tensor) -> Tensor:
    """Costs `[K]` of rows, summed for each of the B rows."""
    return torch.zeros_like(logits[:, 0]).index_add(0, rows, costs)


def check_counts(counts: Tensor, names: Sequence[str], what: str) -> None:
    """Raises:
    InputError: a class is never shown, so that `what` has no meaning for it.
    """
    empty = [name for name, count in zip(names, counts.tolist(), strict=True) if count <= 0]
    if empty:
        raise InputError(
            f"{what} needs training pictures of every class, and {some_of(empty, MANY_NAMES)} has none: "
            "add pictures, drop the class, or take loss=cross_entropy"
        )


def effective_number_weights(counts: Tensor, beta: float, names: Sequence[str]) -> Tensor:
    """`w_c = (1 - beta) / (1 - beta^n_c)`, `[C]` float64, scaled to mean 1: equation 2 of Cui 2019 (arXiv 1901.05555).

    The scale is the paper's: the weights sum to C, every class counting once, however many pictures it has. `beta = 0`
    weighs all classes alike; `beta` towards 1 weighs by `1 / n_c`.

    Args:
        counts: `[C]`, pictures of each class that an epoch shows; they need not be whole.
        beta: from 0 up to but without 1.
        names: the classes, for the message.

    Raises:
        InputError: a class has no picture, so that its weight would be infinite.
    """
    check_counts(counts, names, "a class-balanced loss")
    log_beta = torch.tensor(beta, dtype=torch.float64).log()
    # expm1 keeps the digits that 1 - beta^n loses when beta is near 1.
    weights = -1 / torch.expm1(counts.double() * log_beta)
    return weights / weights.mean()
