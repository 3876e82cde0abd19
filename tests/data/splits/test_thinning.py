"""Thinning against the definition of the profile, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.data.splits.thinning import thin, thinned_sizes
from tests.small_runs import class_folders


def test_the_profile_is_exponential() -> None:
    """Cui 2019: classes of 500 at an imbalance of 100, as CIFAR-10-LT counts them from the largest."""
    found = thinned_sizes(np.full(10, 5000), 100)
    assert found.tolist() == [round(5000 * 0.01 ** (i / 9)) for i in range(10)]


def test_classes_keep_their_order_and_a_few_pictures() -> None:
    assert thinned_sizes(np.array([6, 100, 2, 40]), 8).tolist() == [3, 100, 2, 20]
    assert thinned_sizes(np.array([9]), 8).tolist() == [9]


def table(counts: dict[str, int]) -> pd.DataFrame:
    rows = [(label, f"{label}{number}") for label, count in counts.items() for number in range(count)]
    found = pd.DataFrame(rows, columns=["label", "sha256"])
    return found.assign(target=found["label"].map({"a": 0, "b": 1}), split="train")


def test_a_picture_more_moves_few_others() -> None:
    before, _ = thin(table({"a": 100, "b": 80}), 8, 0, "ab")
    after, _ = thin(table({"a": 100, "b": 81}), 8, 0, "ab")
    kept = [set(found.loc[found["split"] == "train", "sha256"]) for found in (before, after)]
    assert len(kept[0] ^ kept[1]) <= 2
    other, _ = thin(table({"a": 100, "b": 80}), 8, 1, "ab")
    assert set(other.loc[other["split"] == "train", "sha256"]) != kept[0]


@pytest.mark.parametrize("folds", [{}, {"folds": 3, "fold": 1}])
def test_only_training_is_thinned(folds: dict[str, int], tmp_path) -> None:
    class_folders(tmp_path / "pictures", {"many": 60, "少": 50, "c": 40})
    settings = {"root": str(tmp_path / "pictures"), "val_ratio": 0.2, "test_ratio": 0.2, **folds}
    plain = prepare(DataSettings(**settings))
    found = prepare(DataSettings(**settings, long_tail=8))
    before, after = plain.manifest.table, found.manifest.table
    for part in ("val", "test"):
        assert (
            after.loc[after["split"] == part, "path"].tolist() == before.loc[before["split"] == part, "path"].tolist()
        )
    counts = [one.loc[one["split"] == "train", "label"].value_counts() for one in (before, after)]
    assert counts[1]["many"] == counts[0]["many"]
    assert counts[1]["c"] == max(3, round(counts[0]["c"] / 8))
    assert (after["split"] == "excluded").sum() == (counts[0] - counts[1]).sum()
    assert any("data.long_tail=8 takes" in note for note in found.notes)
