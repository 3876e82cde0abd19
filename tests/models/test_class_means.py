"""Class means in a linear head: against nearest class means written from the papers, and what is left alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from animeid.errors import InputError
from animeid.models.class_means import ClassMeans, spread
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead

CLASSES, SIZE = 5, 7


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings far from the origin, and their classes, of which the last has none."""
    random = np.random.default_rng(3)
    targets = random.integers(0, CLASSES - 1, 40)
    middles = random.normal(0, 3, (CLASSES, SIZE))
    return middles[targets] + random.normal(0, 1, (40, SIZE)) + 20, targets


def nearest_class_mean(embeddings: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`[N, C]` products with class means, class by class and picture by picture."""
    middle = embeddings.mean(axis=0)
    answers = np.zeros((len(embeddings), CLASSES))
    for label in set(targets.tolist()):
        units = [(one - middle) / np.linalg.norm(one - middle) for one in embeddings[targets == label]]
        mean = np.mean(units, axis=0)
        for place, one in enumerate(embeddings):
            answers[place, label] = (one - middle) @ (mean / np.linalg.norm(mean))
    return answers


def relative(logits: np.ndarray) -> np.ndarray:
    centred = logits - logits.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean())


def blended(
    weight: float, head: LinearHead, embeddings: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Logits before and after."""
    vectors = torch.from_numpy(embeddings).float()
    before = head.eval()(vectors).detach().numpy()
    said = ClassMeans(weight=weight)(SimpleNamespace(head=head), vectors, torch.from_numpy(targets))  # type: ignore[arg-type]
    assert said.startswith("the head is blended with class means of 40 training pictures")
    return before, head(vectors).detach().numpy()


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_logits_are_the_weighted_mean_of_both(weight: float, pictures: tuple[np.ndarray, np.ndarray]) -> None:
    head = LinearHead(SIZE, CLASSES, dropout=0.0)
    nn.init.normal_(head.linear.weight)
    before, after = blended(weight, head, *pictures)
    scale = np.sqrt(((before - before.mean(axis=1, keepdims=True)) ** 2).mean())
    expected = scale * (relative(before) + weight * relative(nearest_class_mean(*pictures))) / (1 + weight)
    np.testing.assert_allclose(after - after.mean(axis=1, keepdims=True), expected, atol=1e-3 * scale)


def test_a_high_weight_answers_by_class_means_alone(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    _, after = blended(1e4, LinearHead(SIZE, CLASSES), *pictures)
    np.testing.assert_array_equal(after.argmax(axis=1), nearest_class_mean(*pictures).argmax(axis=1))


def test_pictures_that_are_all_alike_leave_the_head_to_say() -> None:
    head = LinearHead(SIZE, CLASSES)
    before, after = blended(1.0, head, np.ones((40, SIZE)), np.zeros(40, np.int64))
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_what_all_classes_are_given_is_no_spread() -> None:
    logits = torch.randn(6, CLASSES)
    assert spread(logits + 100 * torch.randn(6, 1)) == pytest.approx(spread(logits), rel=1e-4)
    assert spread(torch.ones(3, CLASSES)) == 0


def test_a_head_that_is_not_linear_is_refused() -> None:
    with pytest.raises(InputError, match="head_end=class_means fits a linear layer, and a CosineHead is none"):
        ClassMeans().check(SimpleNamespace(head=CosineHead(SIZE, CLASSES)))  # type: ignore[arg-type]
