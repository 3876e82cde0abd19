"""What follows from logits, against plain sorts, a block of rows at a time."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from animeid import predictions as module
from animeid.predictions import highest, row_blocks, softmax, top_k


@pytest.mark.parametrize("width", [1000, 64 * 16, 7 * 64 - 1])
def test_of_long_rows_the_highest_are_those_of_a_stable_sort_too(width: int) -> None:
    random = np.random.default_rng(0)
    apart, equal = random.normal(size=(50, width)), random.integers(0, 4, size=(50, width)).astype(float)
    equal[0], equal[1, 3:], equal[2, 500 % width], equal[3] = 7, np.nan, -np.inf, -np.arange(width)
    apart[4, 200:210] = 9, np.nan, *range(8)
    for values in (apart, equal, apart.astype(np.float32), np.sort(apart, axis=1)):
        for k in (1, 2, 5):
            np.testing.assert_array_equal(highest(values, k), np.argsort(-values, axis=1, kind="stable")[:, :k])


@pytest.mark.parametrize("k", [1, 5, 40])
def test_the_highest_are_those_of_a_stable_sort(k: int) -> None:
    random = np.random.default_rng(0)
    apart, equal = random.normal(size=(50, 40)), random.integers(0, 4, size=(50, 40)).astype(float)
    equal[0], equal[1, 3:] = 7, np.nan
    for values in (apart, equal, apart.astype(np.float32)):
        np.testing.assert_array_equal(highest(values, k), np.argsort(-values, axis=1, kind="stable")[:, :k])


def test_rows_without_ties_are_not_sorted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sort, widths = np.argsort, set[int]()

    def noted(values: np.ndarray, axis: int = -1, kind: str | None = None) -> np.ndarray:
        widths.update(values.shape[1:] if len(values) else ())
        return sort(values, axis=axis, kind=kind)

    monkeypatch.setattr(np, "argsort", noted)
    highest(np.random.default_rng(0).normal(size=(8, 1000)), 5)
    assert widths == {5}


def test_the_likeliest_are_found_a_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.random.default_rng(0).normal(size=(3000, 100)).astype(np.float32)
    order = np.argsort(-logits, axis=1, kind="stable")[:, :5]
    monkeypatch.setattr(module, "BLOCK_BYTES", 80_000)
    tracemalloc.start()
    found, shares = top_k(logits, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, order)
    np.testing.assert_array_equal(shares, np.take_along_axis(softmax(logits), order, axis=1))
    assert peak < logits.nbytes


def test_blocks_hold_every_row_once() -> None:
    assert list(row_blocks(0, 10)) == []
    for columns in (1, 3, 10**9):
        rows = np.arange(10)
        np.testing.assert_array_equal(np.concatenate([rows[block] for block in row_blocks(10, columns)]), rows)
