"""Whether a temperature helps others: against a naive version, and on models whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from animeid.metrics import held_out as room
from animeid.metrics.calibration import calibrate, fit_temperature
from animeid.metrics.held_out import FEWEST, held_out


def drawn(pictures: int, sharpness: float, margin: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of 8 classes whose true temperature is `sharpness`; the greater `margin`, the more answers are right."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(pictures, 8))
    logits[np.arange(pictures), generator.integers(8, size=pictures)] += margin
    chances = softmax(2 * logits, axis=1).cumsum(axis=1)
    targets = (chances < generator.random(pictures)[:, None]).sum(axis=1).clip(0, 7)
    return sharpness * 2 * logits, targets


def nats(logits: np.ndarray, targets: np.ndarray, temperature: float) -> np.ndarray:
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(targets)), targets]


def test_each_fold_is_scaled_by_the_temperature_of_the_others() -> None:
    logits, targets = drawn(150, 3.0)
    targets[::7] = -1
    groups = np.repeat(np.arange(75), 2).astype(str)
    found = held_out(logits, targets, groups)
    known = np.flatnonzero(targets >= 0)
    names, number = np.unique(groups[known], return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(names))[number] % room.FOLDS
    expected = [
        nats(logits[at], targets[at], fit_temperature(logits[others], targets[others]))
        for at, others in ((known[fold == one], known[fold != one]) for one in range(room.FOLDS))
    ]
    assert found["groups"] == len(names) == 75
    assert found["nll"] == pytest.approx(nats(logits[known], targets[known], 1.0).mean())
    assert found["nll_scaled"] == pytest.approx(np.concatenate(expected).mean(), rel=1e-6)
    assert found["helps"]


def test_copies_are_one_witness() -> None:
    """60 pictures of 12 scenes, each of which would be fitted on its own copies."""
    logits, targets = (np.repeat(part, 5, axis=0) for part in drawn(12, 3.0))
    assert held_out(logits, targets)["helps"]
    assert held_out(logits, targets, np.repeat(np.arange(12), 5)) == {
        "groups": 12,
        "needed": FEWEST,
        "nll": None,
        "nll_scaled": None,
        "helps": False,
    }


def test_a_few_pictures_that_are_all_right_say_nothing() -> None:
    """Their logits lie so near one another that the temperature is 0.02 or so."""
    found = calibrate({"val": (np.tile([0.03, 0.0], (4, 1)), np.zeros(4, int))})
    assert found["temperature"] < 0.03
    assert not found["held_out"]["helps"]


def test_many_pictures_are_not_all_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[int]()
    at = room.Slope.at

    def counted(self: room.Slope, place: float) -> tuple[float, float]:
        asked.append(len(self.places))
        return at(self, place)

    monkeypatch.setattr(room.Slope, "at", counted)
    found = held_out(*drawn(20_000, 0.5))
    assert found["helps"]
    assert max(asked) == room.MOST


def test_with_the_fewest_pictures_no_model_is_harmed_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """What using the temperature costs new pictures, in nats a picture, over models of which a third are calibrated."""
    monkeypatch.setattr(room, "FEWEST", 1)
    costs = {5: list[float](), FEWEST: list[float]()}
    for pictures, found in costs.items():
        for seed in range(90):
            sharpness, margin = (0.7, 1.0, 1.5)[seed % 3], (1.0, 4.0)[seed % 2]
            logits, targets = drawn(pictures + 2000, sharpness, margin, seed)
            val, new = (logits[:pictures], targets[:pictures]), (logits[pictures:], targets[pictures:])
            used = fit_temperature(*val) if held_out(*val)["helps"] else 1.0
            found.append(float((nats(*new, used) - nats(*new, 1.0)).mean()))
    assert max(costs[5]) > 0.3
    assert max(costs[FEWEST]) < 0.1
    assert np.mean(costs[FEWEST]) < 0 < np.mean(costs[5])
