"""Distillation terms: a student answers as its teacher does.

Shape letters: B pictures, C classes, D length of an embedding. Both sides have seen the same pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-8
"""What a length is at least, so that a constant row is uncorrelated with all, and has a finite gradient."""


def tempered_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """`[B]`: `T^2 KL(softmax(t / T) || softmax(s / T))` (Hinton 2015, arXiv 1503.02531, section 2).

    The square keeps the gradient's size as it is at `T = 1`.

    Args:
        student, teacher: logits `[B, C]`.
        temperature: T, above 0; the higher it is, the more unlikely classes count.
    """
    ours = functional.log_softmax(student / temperature, dim=1)
    theirs = functional.log_softmax(teacher / temperature, dim=1)
    return temperature**2 * functional.kl_div(ours, theirs, reduction="none", log_target=True).sum(1)


def pearson_distance(first: Tensor, second: Tensor) -> Tensor:
    """`[A]`: 1 less the correlation of each two rows of `[A, M]` (Huang 2022, arXiv 2205.10536, equation 6)."""
    centred = [rows - rows.mean(1, keepdim=True) for rows in (first, second)]
    return cosine_distance(*centred)


def relation_distance(
    student: Tensor, teacher: Tensor, temperature: float, between_classes: float, within_class: float
) -> Tensor:
    """`[B]`: DIST (Huang 2022, arXiv 2205.10536, equations 7 to 10), on tempered probabilities.

    A picture's term is the distance of its row; the mean distance of the columns, each class's over the batch, is added
    to each, so that the mean over pictures is the paper's. Both are times `T^2`, as in Hinton's.

    Args:
        student, teacher: logits `[B, C]`.
        temperature: T, above 0.
        between_classes, within_class: what rows and columns count, the paper's beta and gamma.
    """
    ours, theirs = (functional.softmax(logits / temperature, dim=1) for logits in (student, teacher))
    rows, columns = pearson_distance(ours, theirs), pearson_distance(ours.T, theirs.T).mean()
    return temperature**2 * (between_classes * rows + within_class * columns)


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """`[A]`: 1 less the cosine of each two rows of `[A, M]`."""
    lengths = [torch.linalg.vector_norm(rows, dim=1).clamp_min(EPSILON) for rows in (first, second)]
    return 1 - (first * second).sum(1) / (lengths[0] * lengths[1])
