"""The temperature against a general optimiser, reliability against torchmetrics and a naive version."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from torchmetrics.functional.classification import multiclass_calibration_error

from animeid.metrics.calibration import calibrate, fit_temperature, reliability
from animeid.metrics.temperature import COLDEST, HOTTEST


def sample(sharpness: float, pictures: int = 4000, classes: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose true temperature is `sharpness`."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(pictures, classes))
    targets = (softmax(logits, axis=1).cumsum(1) < generator.random(pictures)[:, None]).sum(1).clip(0, classes - 1)
    return (sharpness * logits).astype(np.float32), targets


def smoothed_nll(temperature: float, logits: np.ndarray, targets: np.ndarray) -> float:
    """Of N pictures, and of an average one whose target is uniform."""
    shares = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    return -shares[np.arange(len(targets)), targets].sum() - shares.mean(axis=1).mean()


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("pictures", [12, 4000])
def test_the_temperature_is_where_the_likelihood_is_highest(sharpness: float, pictures: int) -> None:
    logits, targets = sample(sharpness, pictures)
    bounds = np.log([COLDEST, HOTTEST])
    found = minimize_scalar(lambda log_t: smoothed_nll(np.exp(log_t), logits, targets), bounds=bounds, method="bounded")
    assert fit_temperature(logits, targets) == pytest.approx(np.exp(found.x), rel=1e-3)


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_many_pictures_give_the_temperature_of_the_plain_likelihood(sharpness: float) -> None:
    """Guo's own loss, minimised as his code does it, by L-BFGS."""
    logits, targets = sample(sharpness)
    temperature = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.LBFGS([temperature], lr=0.1, max_iter=200)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(torch.tensor(logits) / temperature, torch.tensor(targets))
        loss.backward()
        return loss

    optimizer.step(closure)
    assert fit_temperature(logits, targets) == pytest.approx(temperature.item(), rel=2e-3)
    assert fit_temperature(logits, targets) == pytest.approx(sharpness, rel=0.06)


@pytest.mark.parametrize("pictures", [1, 10, 1000])
def test_pictures_that_are_all_named_rightly_do_not_make_answers_certain(pictures: int) -> None:
    logits, targets = np.tile([3.0, 0.0], (pictures, 1)), np.zeros(pictures, int)
    sure = softmax(logits / fit_temperature(logits, targets), axis=1)[0, 0]
    assert sure == pytest.approx((pictures + 0.5) / (pictures + 1))


def test_a_model_that_is_always_wrong_gets_the_hottest_temperature() -> None:
    assert fit_temperature(np.tile([3.0, 0.0], (10, 1)), np.ones(10, int)) == HOTTEST


@pytest.mark.parametrize("logits", [np.zeros((5, 3)), np.full((5, 3), 1e4), np.zeros((5, 1))])
def test_equal_logits_have_no_temperature(logits: np.ndarray) -> None:
    assert fit_temperature(logits, np.zeros(5, int)) == 1.0


def test_great_logits_do_not_overflow() -> None:
    logits, targets = sample(1.0, 50)
    assert 0 < fit_temperature(1e6 * logits, targets) <= HOTTEST


def test_pictures_of_no_class_are_left_out() -> None:
    logits, targets = sample(2.0, 200)
    unknown = np.where(np.arange(200) < 100, -1, targets)
    assert fit_temperature(logits, unknown) == fit_temperature(logits[100:], targets[100:])
    assert reliability(logits, unknown) == reliability(logits[100:], targets[100:])
    for judge in (fit_temperature, reliability):
        with pytest.raises(ValueError, match="that have a class"):
            judge(logits, np.full(200, -1))


def test_reliability_equals_references() -> None:
    logits, targets = sample(2.0)
    found = reliability(logits, targets)
    reference = multiclass_calibration_error(torch.tensor(logits), torch.tensor(targets), 6, n_bins=15)
    assert found["ece"] == pytest.approx(reference.item(), abs=1e-5)
    shares = softmax(logits.astype(np.float64), axis=1)
    sure, right = shares.max(1), shares.argmax(1) == targets
    for one in found["bins"]:
        inside = (sure > one["low"]) & (sure <= one["high"])
        assert one["count"] == inside.sum() > 0
        assert one["confidence"] == pytest.approx(sure[inside].mean())
        assert one["accuracy"] == pytest.approx(right[inside].mean())
    assert sum(one["count"] for one in found["bins"]) == len(targets)
    gaps = sum(one["count"] * abs(one["confidence"] - one["accuracy"]) for one in found["bins"])
    assert gaps / len(targets) == pytest.approx(found["ece"])


def test_test_is_scaled_by_the_temperature_of_validation() -> None:
    val, test = sample(3.0, 500), sample(3.0, 500, seed=1)
    found = json.loads(json.dumps(calibrate({"val": val, "test": test}), allow_nan=False))
    assert found["temperature"] == fit_temperature(*val)
    for part, (logits, targets) in (("val", val), ("test", test)):
        scaled = reliability(logits / found["temperature"], targets)
        assert found["parts"][part] == {
            "ece": reliability(logits, targets)["ece"],
            "ece_scaled": scaled["ece"],
            "bins": reliability(logits, targets)["bins"],
            "bins_scaled": scaled["bins"],
        }
        assert found["parts"][part]["ece_scaled"] < found["parts"][part]["ece"] / 2


@pytest.mark.parametrize("val", [{}, {"val": (sample(3.0, 5)[0], np.full(5, -1))}])
def test_without_validation_nothing_is_scaled(val: dict) -> None:
    found = calibrate({**val, "test": sample(3.0, 500)})
    assert found["temperature"] is None
    assert list(found["parts"]) == ["test"]
    assert found["parts"]["test"]["ece"] > 0.1
    assert found["parts"]["test"]["ece_scaled"] is found["parts"]["test"]["bins_scaled"] is None
