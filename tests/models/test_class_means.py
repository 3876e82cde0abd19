"""Class means in a linear head: against nearest class means written from the papers, and what is left alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from animeid.errors import InputError
from animeid.models import class_means
from animeid.models.class_means import ClassMeans, some_of_each, spread
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead
from animeid.optim.linear_fit import Linear

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
    model = SimpleNamespace(head=head)
    said = ClassMeans(weight=weight)(model, vectors, torch.from_numpy(targets), None)  # type: ignore[arg-type]
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


def test_what_stands_of_the_prior_in_the_logits_stays(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    """A head with the prior in its biases is blended as the one without, and has all of it afterwards."""
    embeddings, targets = torch.from_numpy(pictures[0]), torch.from_numpy(pictures[1])
    prior = torch.log(torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05]))
    plain, with_prior = LinearHead(SIZE, CLASSES).linear, LinearHead(SIZE, CLASSES).linear
    with_prior.load_state_dict({"weight": plain.weight.detach(), "bias": plain.bias.detach() + prior})
    without = ClassMeans().blended(plain, embeddings, targets)
    found = ClassMeans().blended(with_prior, embeddings, targets, prior)
    torch.testing.assert_close(found.weight, without.weight, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.bias - without.bias, prior.double(), atol=1e-5, rtol=1e-5)


def test_what_all_classes_are_given_is_no_spread(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, targets = torch.from_numpy(pictures[0]), torch.from_numpy(pictures[1])
    random = np.random.default_rng(1)
    own, shared = torch.from_numpy(random.normal(size=(CLASSES, SIZE))), torch.from_numpy(random.normal(size=SIZE))
    found = [spread(Linear(own + factor * shared, own[:, 0]), embeddings, targets) for factor in (0, 100)]
    assert found[0] == pytest.approx(found[1])
    logits = (embeddings @ own.T + own[:, 0]).numpy()
    assert found[0] == pytest.approx(np.sqrt(((logits - logits.mean(axis=1, keepdims=True)) ** 2).mean()))


@pytest.mark.parametrize("block", [1, 7, 40])
def test_blocks_change_nothing(
    block: int, pictures: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, targets = torch.from_numpy(pictures[0]), torch.from_numpy(pictures[1])
    layer = LinearHead(SIZE, CLASSES).linear
    whole = ClassMeans().blended(layer, embeddings, targets)
    monkeypatch.setattr(class_means, "BLOCK", block)
    some = ClassMeans().blended(layer, embeddings, targets)
    torch.testing.assert_close((some.weight, some.bias), (whole.weight, whole.bias))


def test_of_a_large_class_some_pictures_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, rows = np.array([0, 1, 0, 0, 0, 1, 0, 2]), np.arange(7)
    assert some_of_each(rows, targets).tolist() == rows.tolist()
    monkeypatch.setattr(class_means, "MOST_OF_A_CLASS", 3)
    assert some_of_each(rows, targets).tolist() == [0, 1, 3, 5, 6]
    monkeypatch.setattr(class_means, "MOST", 3)
    assert some_of_each(rows, targets).tolist() == [0, 1]


def test_a_head_that_is_not_linear_is_refused() -> None:
    with pytest.raises(InputError, match="head_end=class_means needs a linear head, and CosineHead is none"):
        ClassMeans().check(SimpleNamespace(head=CosineHead(SIZE, CLASSES)))  # type: ignore[arg-type]
