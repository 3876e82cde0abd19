"""Distillation terms against the papers' equations in plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.losses.distillation import cosine_distance, relation_distance, tempered_divergence
from animeid.types import Batch, ModelOutput

B, C, D, E = 5, 4, 3, 6


def noise(*size: int, seed: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def chances(logits: list[float], temperature: float) -> list[float]:
    powers = [math.exp(value / temperature) for value in logits]
    return [power / sum(powers) for power in powers]


def correlation(first: list[float], second: list[float]) -> float:
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_divergence_is_hintons(temperature: float) -> None:
    student, teacher = noise(B, C, seed=0), noise(B, C, seed=1)
    expected = []
    for ours, theirs in zip(student.tolist(), teacher.tolist(), strict=True):
        q, p = chances(ours, temperature), chances(theirs, temperature)
        expected.append(temperature**2 * sum(b * math.log(b / a) for a, b in zip(q, p, strict=True)))
    np.testing.assert_allclose(tempered_divergence(student, teacher, temperature), expected, rtol=1e-9)


def test_the_gradient_at_high_temperature_is_that_of_matching_logits() -> None:
    """Hinton 2015, equation 4: `(s - t) / N` for logits of mean 0, here times T^2 / T^2."""
    student, teacher = (rows - rows.mean(1, keepdim=True) for rows in (noise(B, C, seed=0), noise(B, C, seed=1)))
    student = student.clone().requires_grad_()
    tempered_divergence(student, teacher, 1e4).sum().backward()
    assert student.grad is not None
    torch.testing.assert_close(student.grad, (student.detach() - teacher) / C, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_relations_are_those_of_dist(temperature: float) -> None:
    student, teacher = noise(B, C, seed=2), noise(B, C, seed=3)
    ours = [chances(row, temperature) for row in student.tolist()]
    theirs = [chances(row, temperature) for row in teacher.tolist()]
    between = [1 - correlation(q, p) for q, p in zip(ours, theirs, strict=True)]
    within = sum(1 - correlation([q[c] for q in ours], [p[c] for p in theirs]) for c in range(C)) / C
    expected = [temperature**2 * (2.0 * row + 0.5 * within) for row in between]
    np.testing.assert_allclose(relation_distance(student, teacher, temperature, 2.0, 0.5), expected, rtol=1e-6)


def test_relations_do_not_see_scale_and_offset_of_probabilities() -> None:
    teacher = noise(B, C, seed=3).softmax(1)
    weaker = (0.5 * teacher + 0.5 / C).log()
    found = relation_distance(weaker, teacher.log(), 1.0, 1.0, 1.0)
    torch.testing.assert_close(found, torch.zeros_like(found), atol=1e-6, rtol=0)


@pytest.mark.parametrize("rows", [1, 3])
def test_one_picture_and_equal_chances_have_finite_gradients(rows: int) -> None:
    student = torch.zeros(rows, C, requires_grad=True)
    relation_distance(student, torch.zeros(rows, C), 1.0, 1.0, 1.0).sum().backward()
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_cosine_distance_is_by_direction() -> None:
    first, second = noise(B, D, seed=4), noise(B, D, seed=5)
    expected = [1 - float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(cosine_distance(first, 7 * second), expected, rtol=1e-9)


def term(name: str, teacher_features: int = E) -> Any:
    card = compose("train", [f"distill={name}", "teacher=there", "recipe=none"])["distill"]
    return gateway.build(card, "distill", in_features=D, teacher_features=teacher_features)


def batch_of(teacher: ModelOutput) -> Batch:
    nothing = torch.zeros(B)
    return {
        "image": nothing,
        "target": nothing.long(),
        "row": nothing.long(),
        "draw": nothing.long(),
        "teacher": teacher,
    }


@pytest.mark.parametrize(("name", "compares"), [("logits", "logits"), ("dist", "logits"), ("embedding", "embedding")])
def test_each_card_is_zero_for_the_same_answers_and_learns_from_others(name: str, compares: str) -> None:
    teaches = term(name, D)
    assert teaches.compares == compares
    output = ModelOutput(noise(B, C, seed=0).float(), noise(B, D, seed=1).float())
    same = teaches(output, batch_of(output))
    torch.testing.assert_close(same, torch.zeros(B), atol=1e-5, rtol=0)
    other = ModelOutput(noise(B, C, seed=2).float().requires_grad_(), noise(B, D, seed=3).float().requires_grad_())
    teaches(other, batch_of(output)).mean().backward()
    read = getattr(other, "embedding" if compares == "embedding" else "logits")
    assert read.grad.abs().sum() > 0


def test_embeddings_of_other_lengths_are_projected() -> None:
    teaches = term("embedding")
    assert tuple(teaches.projection.weight.shape) == (E, D)
    assert not list(term("embedding", D).parameters())
    output, teacher = (ModelOutput(noise(B, C, seed=0), noise(B, size, seed=size).float()) for size in (D, E))
    found = teaches(output, batch_of(teacher))
    torch.testing.assert_close(found, cosine_distance(teaches.projection(output.embedding), teacher.embedding))
