"""Sampling by difficulty: what is learnt, what bounds it, and that a run that goes on draws the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from animeid import train
from animeid.data.samplers.difficulty import Difficulty
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

ROWS = np.array([2, 3, 5, 7, 11, 13])
TARGETS = np.array([0, 0, 0, 1, 1, -1])


def sampler(**options) -> Difficulty:
    return Difficulty(ROWS, TARGETS, 2, **options)


def told(found: Difficulty, losses: dict[int, float], epoch: int = 1) -> np.ndarray:
    """Weights of the epoch after these losses, over that of row 2."""
    found.observe(torch.tensor(list(losses)), torch.tensor(list(losses.values()), dtype=torch.float64))
    found.stream(0, epoch)
    return found.probabilities / found.probabilities[0]


def test_the_first_epoch_is_even_and_leaves_out_strangers() -> None:
    np.testing.assert_allclose(sampler().probabilities, [0.2, 0.2, 0.2, 0.2, 0.2, 0])
    assert 13 not in sampler().stream(0, 0)


def test_weights_are_difficulties_within_their_bound() -> None:
    losses = {2: 1.0, 3: 2.0, 5: 0.3, 7: 1.5, 11: 19.0}
    expected = [min(max(loss / 1.5, 1 / 4), 4) for loss in losses.values()]
    found = told(sampler(measure="loss", bound=4.0, momentum=0.0), losses)
    np.testing.assert_allclose(found[:5], np.array(expected) / expected[0])
    assert found[:5].max() / found[:5].min() <= 16


@pytest.mark.parametrize("broken", [1e6, math.inf])
def test_a_broken_picture_leaves_the_others_apart(broken: float) -> None:
    losses = {2: 1.0, 3: 2.0, 5: 0.5, 7: 1.5}
    found = told(sampler(measure="loss", bound=3.0), losses | {11: broken})
    np.testing.assert_allclose(found[:5], [1.0, 2.0, 0.5, 1.5, 4.5])


def test_a_loss_that_is_no_number_is_not_counted() -> None:
    found = told(sampler(measure="loss"), {2: 1.0, 3: 2.0, 5: math.nan})
    np.testing.assert_allclose(found[:5], [1.0, 2.0, 1.5, 1.5, 1.5])


def test_an_error_is_what_other_classes_were_given() -> None:
    losses = {2: 0.7, 3: 0.1, 5: 0.4, 7: 0.2, 11: 0.3}
    errors = np.array([1 - math.exp(-loss) for loss in losses.values()])
    relative = np.clip(errors / errors.mean(), 1 / 3, 3)
    np.testing.assert_allclose(told(sampler(), losses)[:5], relative / relative[0])


def test_classes_share_their_difficulty_and_means_run_on() -> None:
    found = sampler(by="class", measure="loss", momentum=0.5, bound=100.0)
    found.observe(torch.tensor([2, 2, 7]), torch.tensor([1.0, 3.0, 5.0]))
    first = 0.5 * 1.0 + 0.5 * 3.0
    weights = told(found, {})
    np.testing.assert_allclose(weights, [1, 1, 1, 5 / first, 5 / first, 0])


def test_what_is_observed_counts_from_the_next_epoch_on() -> None:
    found = sampler()
    before = found.stream(3, 1).copy()
    found.observe(torch.tensor([2, 3]), torch.tensor([9.0, 0.1]))
    np.testing.assert_array_equal(found.stream(3, 1), before)
    even = found.probabilities.copy()
    found.stream(3, 2)
    assert not np.array_equal(found.probabilities, even)


def test_a_run_that_goes_on_in_the_middle_of_an_epoch_draws_the_same() -> None:
    straight, other = sampler(), sampler()
    told(straight, {2: 1.0, 3: 3.0})
    straight.observe(torch.tensor([5]), torch.tensor([2.0]))
    other.load_state_dict(straight.state_dict())
    for found in (straight, other):
        found.observe(torch.tensor([7]), torch.tensor([0.1]))
    for epoch in (1, 2):
        np.testing.assert_array_equal(straight.stream(5, epoch), other.stream(5, epoch))


def test_the_prior_of_an_epoch_is_that_of_its_draws() -> None:
    found = sampler(bound=10.0)
    found.observe(torch.tensor([2, 3, 5, 7, 11]), torch.tensor([0.1, 0.2, 0.1, 3.0, 2.0]))
    np.testing.assert_allclose(found.prior_of(0), [0.6, 0.4])
    prior = found.prior_of(1)
    found.observe(torch.tensor([2]), torch.tensor([9.0]))  # counts from the next epoch on
    rows = np.concatenate([found.stream(seed, 1) for seed in range(2000)])
    np.testing.assert_allclose(np.isin(rows, ROWS[TARGETS == 1]).mean(), prior[1], atol=0.01)
    np.testing.assert_array_equal(found.prior_of(1), prior)
    assert prior.sum() == 1
    assert prior[1] > 0.6


def test_training_tells_it_the_losses(tmp_path, monkeypatch) -> None:
    class_folders(tmp_path / "pictures", {"easy": 12, "ミク": 12}, coarse=2)
    monkeypatch.chdir(tmp_path)
    arguments = ["data.root=pictures", *QUICK, "trainer.max_epochs=2", "logger=none"]
    assert train.main([*arguments, "sampler=difficulty", "run_id=hard", "keep=all"]) == 0
    last = torch.load(RunFolder(tmp_path / "outputs" / "hard").last, weights_only=True)
    state = next(value["sampler"] for value in last.values() if isinstance(value, dict) and "sampler" in value)
    values = np.array(state["values"])
    assert np.isfinite(values).any()
    assert ((values[np.isfinite(values)] > 0) & (values[np.isfinite(values)] < 1)).all()
    assert state["epoch"] == 1
    assert np.ptp(state["probabilities"]) > 0
