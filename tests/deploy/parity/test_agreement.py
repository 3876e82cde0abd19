"""Figures of agreement are those of naive ways and of scikit-learn, and the gate refuses what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from animeid.deploy.parity.agreement import Agreement, EngineAnswers, nearest_neighbours, relative_error
from animeid.deploy.parity.gate import Gate
from animeid.deploy.parity.pictures import ParityPictures
from animeid.metrics.paired import Difference

CLASSES = 4


def pictures(count: int) -> ParityPictures:
    random = np.random.default_rng(1)
    groups = np.array([f"g{number}" for number in random.integers(0, count // 2, count)])
    return ParityPictures(
        tuple(Path(f"{number}.png") for number in range(count)),
        random.integers(0, CLASSES, count),
        groups,
        np.ones(count, bool),
    )


def answers(seed: int, count: int, noise: float = 1.0, base: EngineAnswers | None = None) -> EngineAnswers:
    random = np.random.default_rng(seed)
    fresh = (random.normal(size=(count, 6)), random.normal(size=(count, CLASSES)))
    if base is not None:
        fresh = tuple(old + noise * new for old, new in zip(base, fresh, strict=True))
    return EngineAnswers(*(one.astype(np.float32) for one in fresh))


def naive_neighbour(embeddings: np.ndarray, groups: np.ndarray, place: int) -> int:
    best, found = -2.0, -1
    for other in range(len(embeddings)):
        if groups[other] == groups[place]:
            continue
        one, two = embeddings[place].astype(float), embeddings[other].astype(float)
        cosine = float(one @ two / np.sqrt(one @ one) / np.sqrt(two @ two))
        if cosine > best:
            best, found = cosine, other
    return found


def test_neighbours_are_those_of_a_search_one_by_one_outside_the_own_group() -> None:
    shown, found = pictures(40), answers(2, 40)
    expected = [naive_neighbour(found.embeddings, shown.groups, place) for place in range(40)]
    assert nearest_neighbours(found.embeddings, shown.groups).tolist() == expected


def test_figures_are_those_of_their_definitions() -> None:
    shown = pictures(60)
    reference = answers(3, 60)
    found = answers(4, 60, 0.6, reference)
    agreement = Agreement.of(found, reference, shown, CLASSES)
    named, theirs = found.logits.argmax(1), reference.logits.argmax(1)
    near = [naive_neighbour(found.embeddings, shown.groups, place) for place in range(60)]
    near_theirs = [naive_neighbour(reference.embeddings, shown.groups, place) for place in range(60)]
    right = np.mean(shown.targets[near] == shown.targets)
    f1 = f1_score(shown.targets, named, average="macro")
    assert 0 < agreement.top1 < 1 and 0 < agreement.neighbour < 1
    assert agreement.top1 == pytest.approx(np.mean(named == theirs))
    assert agreement.f1_macro == pytest.approx(f1)
    difference = f1 - f1_score(shown.targets, theirs, average="macro")
    assert agreement.f1_difference.difference == pytest.approx(difference)
    assert agreement.neighbour == pytest.approx(np.mean(np.equal(near, near_theirs)))
    assert agreement.neighbour_accuracy == pytest.approx(right)
    expected = right - np.mean(shown.targets[near_theirs] == shown.targets)
    assert agreement.neighbour_difference == pytest.approx(expected)
    # The larger one of the two counts.
    off = [np.sqrt(np.sum((a - b) ** 2)) / np.sqrt(np.sum(b**2)) for a, b in zip(found, reference, strict=True)]
    assert agreement.relative_error == pytest.approx(max(off), rel=1e-5)


def test_an_error_beside_nothing_is_the_error_itself() -> None:
    assert relative_error(np.array([3.0, 4.0]), np.zeros(2)) == 5.0
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0


def test_pictures_of_one_group_have_no_neighbours() -> None:
    shown = pictures(5)
    alone = ParityPictures(shown.paths, shown.targets, np.array(["one"] * 5), shown.held_out)
    agreement = Agreement.of(answers(1, 5), answers(1, 5), alone, CLASSES)
    assert agreement.neighbour is agreement.neighbour_accuracy is agreement.neighbour_difference is None
    assert not Gate().refusal("int8", agreement)


def agreed(error: float = 0.0, f1: float = 0.0, neighbour: float = 0.0) -> Agreement:
    return Agreement(error, 1.0, 0.9, Difference(f1, None, None, None), 1.0, 0.9, neighbour)


@pytest.mark.parametrize(
    ("precision", "agreement", "words"),
    [
        ("float32", agreed(error=9e-5), ""),
        ("float32", agreed(error=1.1e-4), "differ by 1.1e-04"),
        ("int8", agreed(error=0.3, f1=-0.005, neighbour=-0.01), ""),
        ("int8", agreed(f1=-0.0051), "loses 0.5 points of f1_macro"),
        ("bfloat16", agreed(f1=-0.02), "loses 2.0 points of f1_macro"),
        ("int8", agreed(f1=0.1, neighbour=-0.015), "loses 1.5 points of nearest neighbours"),
    ],
)
def test_the_gate(precision: str, agreement: Agreement, words: str) -> None:
    found = Gate().refusal(precision, agreement)
    assert (words in found) if words else (found == "")
