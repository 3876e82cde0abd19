"""Shot groups and the class prior."""

from __future__ import annotations

import pytest
import torch

from animeid.types import LabelStats


def test_groups_follow_the_bounds() -> None:
    stats = LabelStats.from_counts(("a", "b", "c", "d"), torch.tensor([101, 100, 20, 19]))
    assert stats.shot_groups == ("many", "medium", "medium", "few")
    changed = LabelStats.from_counts(("a", "b"), torch.tensor([6, 3]), many_above=5, few_below=4)
    assert changed.shot_groups == ("many", "few")


def test_natural_prior_is_the_share_and_shows_the_counts() -> None:
    stats = LabelStats.from_counts(("a", "b"), torch.tensor([30, 10]))
    torch.testing.assert_close(stats.log_prior, torch.tensor([0.75, 0.25]).log())
    torch.testing.assert_close(stats.shown_counts, torch.tensor([30.0, 10.0], dtype=torch.float64))


def test_a_class_that_is_never_shown_has_a_finite_log_prior() -> None:
    assert LabelStats.from_counts(("a", "b"), torch.tensor([3, 0])).log_prior.isfinite().all()


def test_a_prior_must_sum_to_one_and_fit_the_names() -> None:
    with pytest.raises(ValueError, match="sums to"):
        LabelStats(("a", "b"), torch.tensor([1, 1]), torch.tensor([1.0, 1.0]))
    with pytest.raises(ValueError, match="length"):
        LabelStats(("a",), torch.tensor([1, 1]), torch.tensor([0.5, 0.5]))
