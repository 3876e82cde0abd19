"""What logits say of each picture: in one pass of blocks what whole tables say."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import log_softmax

from animeid import predictions
from animeid.metrics import calibration
from animeid.metrics.adjustment import TAUS, adjust, best_of, choose_tau
from animeid.metrics.calibration import calibrate, fit_temperature
from animeid.metrics.evaluate import evaluate
from animeid.metrics.label_errors import suspects
from animeid.metrics.pictures import PictureFigures
from animeid.metrics.sureness import Sureness, exponentials
from animeid.metrics.temperature import COLDEST, HOTTEST, Slope
from animeid.metrics.worst import worst_first
from tests.metrics.test_intervals import label_stats

CLASSES, PICTURES = 40, 5000


@pytest.fixture(scope="module")
def part() -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets; some are of no class, some logits are equal."""
    random = np.random.default_rng(0)
    targets = random.integers(-1, CLASSES, PICTURES)
    logits = (random.normal(size=(PICTURES, CLASSES)) * 2).round(1).astype(np.float32)
    logits[np.arange(PICTURES), targets] += 3
    return logits, targets


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 8 * CLASSES * 300)


@pytest.mark.usefixtures("small_blocks")
def test_figures_of_pictures_are_those_of_a_whole_table(part: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = part
    known = targets >= 0
    found = PictureFigures.of(logits, targets).at(known)
    logits, targets = logits[known], targets[known]
    shares = log_softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_array_equal(found.answer, logits.argmax(axis=1))
    np.testing.assert_allclose(found.confidence, np.exp(shares.max(axis=1)))
    np.testing.assert_allclose(found.surprise, -shares[np.arange(len(targets)), targets], rtol=1e-10, atol=1e-12)
    order = np.argsort(-logits, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(found.in_top, (order == targets[:, None]).any(axis=1))
    assert found.finite.all()


@pytest.mark.usefixtures("small_blocks")
def test_sureness_is_that_of_a_whole_table_at_each_temperature(part: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = part
    places = np.flatnonzero(targets >= 0)[::3]
    found = Sureness.at(logits, targets, places, (1.0, 1.7))
    for one, temperature in zip(found, (1.0, 1.7), strict=True):
        shares = log_softmax((logits[places] / temperature).astype(np.float64), axis=1)
        np.testing.assert_array_equal(one.answer, logits[places].argmax(axis=1))
        np.testing.assert_allclose(one.confidence, np.exp(shares.max(axis=1)))
        np.testing.assert_allclose(
            one.surprise, -shares[np.arange(len(places)), targets[places]], rtol=1e-10, atol=1e-12
        )


def test_exponentials_are_numpys_to_the_last_digit() -> None:
    values = np.concatenate([-np.geomspace(1e-300, 700, 999), [0.0, -np.inf, -1e300, -746]]).reshape(17, 59)
    np.testing.assert_allclose(exponentials(values.copy()), np.exp(values), rtol=1e-15, atol=0)
    assert np.isnan(exponentials(np.array([[np.nan]]))).all()
    assert exponentials(np.zeros((0, 3))).shape == (0, 3)


def test_what_is_not_finite_is_told_apart() -> None:
    logits = np.zeros((4, 3), np.float32)
    logits[1, 2], logits[3, 0] = np.nan, -np.inf
    assert PictureFigures.of(logits, np.zeros(4, np.int64)).finite.tolist() == [True, False, True, False]


def test_no_pictures_have_no_figures() -> None:
    found = PictureFigures.of(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
    assert [len(values) for values in vars(found).values()] == [0] * 5


def test_blocks_change_no_answer(part: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets = part
    prior = np.log(np.arange(CLASSES) + 1.0)

    def everything() -> tuple[object, ...]:
        return (
            suspects(logits, targets).to_dict("list"),
            worst_first(logits, targets).tolist(),
            choose_tau(logits, targets, prior),
            calibrate({"val": part}),
        )

    whole = everything()
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 8 * CLASSES * 300)
    *found, calibrated = everything()
    assert found == list(whole[:-1])
    assert calibrated["temperature"] == pytest.approx(whole[-1]["temperature"], rel=1e-9)
    assert choose_tau(logits, targets, prior) == TAUS[best_of((adjust(logits, prior, tau) for tau in TAUS), targets)]


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 5.0])
def test_a_temperature_found_from_some_pictures_is_that_of_all(
    part: tuple[np.ndarray, np.ndarray], sharpness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, targets = part[0] * np.float32(sharpness), part[1]
    every = Slope(logits, targets, np.flatnonzero(targets >= 0))
    expected = np.exp(brentq(lambda place: every.at(place)[0], np.log(COLDEST), np.log(HOTTEST), xtol=1e-12))
    passes = list[int]()
    at = Slope.at

    def counted(self: Slope, place: float) -> tuple[float, float]:
        passes.append(len(self.places))
        return at(self, place)

    monkeypatch.setattr(calibration, "SOME", 200)
    monkeypatch.setattr(Slope, "at", counted)
    assert fit_temperature(logits, targets) == pytest.approx(expected, rel=1e-9)
    assert passes.count(int((targets >= 0).sum())) <= 5


class Counted:
    """Logits that count how often each row is read."""

    def __init__(self, logits: np.ndarray) -> None:
        self.logits, self.shape, self.dtype = logits, logits.shape, logits.dtype
        self.reads = np.zeros(len(logits), np.int64)

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        self.reads[rows] += 1
        return self.logits[rows]

    def take(self, rows: np.ndarray, axis: int, out: np.ndarray, mode: str) -> np.ndarray:
        self.reads[rows] += 1
        return self.logits.take(rows, axis=axis, out=out, mode=mode)


def test_logits_are_read_no_oftener_than_they_must(part: tuple[np.ndarray, np.ndarray]) -> None:
    """Before and after scaling in one pass; of suspects again only those that were named otherwise."""
    logits, targets = part
    known = targets >= 0
    test = Counted(logits)
    calibrate({"val": part, "test": (test, targets)})  # type: ignore[dict-item]
    assert (test.reads == known).all()
    looked = Counted(logits)
    suspects(looked, targets)  # type: ignore[arg-type]
    assert (looked.reads == known * (1 + (logits.argmax(axis=1) != targets))).all()


@pytest.mark.parametrize("start", [-4.0, 0.0, 4.0])
def test_newtons_steps_come_to_the_root_or_to_the_end_from_anywhere(
    part: tuple[np.ndarray, np.ndarray], start: float
) -> None:
    targets = np.arange(4000) % 4
    right = np.eye(4, dtype=np.float32)[targets]
    ends = np.log([COLDEST, HOTTEST])
    for logits, expected in ((right / 100, ends[0]), (right * -10, ends[1])):
        assert Slope(logits, targets, np.arange(4000)).root(start) == expected
    known = np.flatnonzero(part[1] >= 0)
    for sharpness in (0.05, 1, 30):
        slope = Slope(part[0] * np.float32(sharpness), part[1], known)
        expected = brentq(lambda place, slope=slope: slope.at(place)[0], *ends, xtol=1e-12)
        assert slope.root(start) == pytest.approx(expected, abs=1e-9)


def test_judging_needs_little_more_than_a_block(
    part: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of logits that lie in a file only a block is in memory at a time."""
    logits, targets = np.tile(part[0], (1, 10)), part[1]
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 2**17)
    works = {
        "suspects": lambda: suspects(logits, targets),
        "worst": lambda: worst_first(logits, targets),
        "tau": lambda: choose_tau(logits, targets, np.arange(400.0)),
        "calibration": lambda: calibrate({"test": (logits, targets)}),
        "figures": lambda: PictureFigures.of(logits, targets),
    }
    for name, work in works.items():
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < logits.nbytes / 2, name


def test_unknown_pictures_are_left_out_of_figures(part: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = part
    known = targets >= 0
    groups = np.arange(PICTURES).astype(str)
    whole = evaluate(logits[:500], targets[:500], groups[:500], label_stats(CLASSES), None)
    known = known[:500]
    alone = evaluate(logits[:500][known], targets[:500][known], groups[:500][known], label_stats(CLASSES), None)
    assert whole == {**alone, "unknown": int((~known).sum())}
