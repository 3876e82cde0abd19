"""Answers of several processes, and which parts are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from animeid.assembly.plan import FinalPlan
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import write_answers
from animeid.training.answering import answered, collect, hand_over, share_files


def answers_for(rows: np.ndarray) -> Predictions:
    values = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)[rows]
    return Predictions(rows, values[:, :5], values[:, 5:], values[:, 0])


@pytest.mark.parametrize("number", [1, 3])
def test_every_picture_is_answered_once_in_the_order_of_the_manifest(number: int, tmp_path) -> None:
    """The last process has no share of the single stranger."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    rows = {"val": np.arange(20, 33), "unknown": np.arange(40, 41), "train": np.arange(20)}
    shares = []
    for rank in range(number):
        files = (folder.logits, folder.embeddings) if number == 1 else share_files(folder, rank)
        own = {part: answers_for(all_rows[rank::number]) for part, all_rows in rows.items()}
        shares.append(write_answers(*files, {part: answer.blocks() for part, answer in own.items()}))
        if rank:
            hand_over(folder, shares[rank], rank)
    found = collect(folder, shares[0], number)
    assert list(found) == list(rows)
    for part, own_rows in rows.items():
        for name, expected in vars(answers_for(own_rows)).items():
            np.testing.assert_array_equal(vars(found[part])[name], expected)
    logits = np.concatenate([answers_for(own_rows).logits for own_rows in rows.values()])
    np.testing.assert_array_equal(np.load(folder.logits), logits)
    assert sorted(path.name for path in folder.path.glob("*answers*")) == [], "shares are removed"


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ({}, ("val", "test", "unknown", "train")),
        ({"test": False, "embeddings": "on"}, ("val", "unknown", "train")),
        ({"test": True, "embeddings": "off"}, ("val", "test", "unknown")),
    ],
    ids=str,
)
def test_which_parts_are_answered(asked: Mapping[str, Any], parts: tuple[str, ...]) -> None:
    """The plan of an earlier version has no such keys."""
    assert answered(FinalPlan.from_dict(asked)) == parts
