"""Advice from the figures of train, val and test together, each case with figures made for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from animeid.reporting.parts import Part, Parts, _f1_macro, read_together
from animeid.runs.finished import FinishedRun
from tests.runs.fake_runs import fake_manifest, fake_run


def part(f1: float, around: float = 0.04, pictures: int = 200) -> Part:
    return Part(f1, max(f1 - around, 0.0), min(f1 + around, 1.0), pictures)


ALL = part(1.0, 0.0)
RANDOM = {"has_random_start": True, "pictures_a_class": 12.0}

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "validation is easy, test is not": (
        {"train": 1.0, "val": ALL, "test": part(0.78), **RANDOM},
        ["Test is of another kind than validation", "RANDOM weights"],
    ),
    "the same with published weights": (
        {"train": 1.0, "val": ALL, "test": part(0.78)},
        ["Test is of another kind than validation"],
    ),
    "both are easy": ({"train": 1.0, "val": ALL, "test": ALL, **RANDOM}, ["hardly an error"]),
    "only validation, and easy": ({"train": 1.0, "val": ALL}, ["Validation is answered with hardly an error"]),
    "an easy validation part, test a little worse": (
        {"train": 1.0, "val": ALL, "test": part(0.93)},
        ["tells neither epochs nor settings apart"],
    ),
    "over-fitted": ({"train": 1.0, "val": part(0.6), "test": part(0.62)}, ["The model over-fits"]),
    "over-fitted from random weights": (
        {"train": 1.0, "val": part(0.6), "test": part(0.62), **RANDOM},
        ["RANDOM weights", "The model over-fits"],
    ),
    "over-fitted, without validation": ({"train": 1.0, "test": part(0.6)}, ["The model over-fits"]),
    "hardly trained": ({"train": 0.4, "val": part(0.39), "test": part(0.38)}, ["Even the training pictures"]),
    "test is easier": ({"train": 0.9, "val": part(0.7), "test": part(0.85)}, ["Test is easier", "over-fits"]),
    "few pictures": ({"train": 0.97, "val": None, "test": Part(0.9, 0.7, 1.0, 12)}, ["12 judged pictures are few"]),
    "too few for any interval": ({"train": 1.0, "val": Part(1.0), "test": Part(0.5)}, ["tells neither epochs"]),
    "random weights that did well": ({"train": 1.0, "val": part(0.97), "test": part(0.96), **RANDOM}, []),
    "all is well": ({"train": 0.97, "val": part(0.93), "test": part(0.92)}, []),
    "training was not answered": ({"train": None, "val": part(0.9), "test": part(0.9)}, []),
}


@pytest.mark.parametrize(("figures", "expected"), CASES.values(), ids=CASES)
def test_the_parts_are_read_together(figures: dict[str, Any], expected: list[str]) -> None:
    """The first sentence is what would help most, and nothing else is said."""
    said = read_together(Parts(**figures))
    assert len(said) == len(expected), said
    for sentence, words in zip(said, expected, strict=True):
        assert words in sentence


def test_the_shift_is_told_with_its_figures() -> None:
    (said,) = read_together(Parts(train=0.999, val=ALL, test=part(0.78)))
    for figure in ("78.0 %", "100.0 %", "99.9 %"):
        assert figure in said
    assert "so easy that it tells neither epochs nor settings apart" in said
    assert "would help most" in said


def test_colours_that_give_the_classes_away_are_named() -> None:
    easy = {"train": 1.0, "val": ALL, "test": ALL}
    (said,) = read_together(Parts(**easy, colours=0.96))
    assert "Colours alone reach 96.0 %" in said
    assert "Colours" not in read_together(Parts(**easy, colours=0.5))[0]


def test_chance_is_no_shift() -> None:
    """Ten pictures: 100 % on one part and 80 % on the other is a difference of two."""
    parts = Parts(train=1.0, val=ALL, test=Part(0.8, 0.5, 1.0, 10))
    assert not parts.is_shifted and not parts.over_fits


def test_the_figure_of_training_is_that_of_its_saved_answers(tmp_path) -> None:
    run = FinishedRun(fake_run(tmp_path / "run", fake_manifest(tmp_path)))
    rows = run.predictions[run.predictions["split"] == "train"]
    expected = f1_score(rows["target"], rows["answer"], labels=np.unique(rows["target"]), average="macro")
    assert _f1_macro(run, "train") == pytest.approx(expected)
