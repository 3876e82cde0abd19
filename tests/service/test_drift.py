"""Drift is measured against an independent computation, and chance alone raises no alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import METRICS
from animeid.service.drift import ALARM, FEWEST, GROUPS, WINDOW, Drift, Expected, groups, stability
from animeid.system.files import read_json, write_json
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import client, png
from tests.service.test_predict import sent, value


def test_the_index_is_that_of_the_definition() -> None:
    expected, found = np.array([500.0, 300, 200]), np.array([100.0, 300, 600])
    naive = sum((f / 1000 - e / 1000) * np.log(f / e) for e, f in zip(expected, found, strict=True))
    assert stability(expected, found) == pytest.approx(naive - 2 * (1 / 1000 + 1 / 1000))
    assert stability(expected, expected) == 0
    assert np.isfinite(stability(np.array([10.0, 0]), np.array([0.0, 10])))


def test_chance_alone_is_near_zero() -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(10))
    found = [stability(random.multinomial(400, shares), random.multinomial(300, shares)) for _ in range(300)]
    assert np.mean(found) < 0.02 and max(found) < ALARM


def test_groups_have_about_equal_shares() -> None:
    counts = np.random.default_rng(0).integers(1, 30, 120).astype(float)
    sums = np.bincount(groups(counts), counts)
    assert len(sums) == GROUPS and sums.max() < 1.6 * sums.min()
    assert groups(np.array([5.0, 1, 0])).tolist() == [0, 1, 1] or len(set(groups(np.array([5.0, 1, 0])))) > 1
    long_tail = groups(np.array([1000.0, 1, 1, 1]))
    assert long_tail[0] != long_tail[1] and len(set(long_tail[1:])) == 1


def test_a_shift_is_seen_once_enough_was_seen() -> None:
    expected = Expected(np.array([0.0] * 10 + [5] * 10), np.array([30.0, 20]))
    random = np.random.default_rng(0)
    drift = Drift(expected)
    for _ in range(FEWEST - 1):
        drift.see(random.uniform(0.5, 1), int(random.random() < 0.4))
    assert drift.measured() == {}
    drift.see(0.7, 0)
    assert all(index < ALARM for index in drift.measured().values())
    for _ in range(WINDOW):
        drift.see(0.3, 1)
    assert all(index > ALARM for index in drift.measured().values())
    assert Expected.of(None) is None


def test_an_artefact_that_says_nothing_has_no_drift_and_others_raise_alarms(tmp_path: Path) -> None:
    folder = rich_artefact(tmp_path / "watched")
    metrics = read_json(folder / METRICS)
    write_json(folder / METRICS, {**metrics, "answers": {"confidence": [0, 0, 0, 100], "characters": [90, 5, 5]}})
    version = seal(folder)
    with client(folder) as found:
        content = png(colour(2))
        for _ in range(FEWEST // 10):
            sent(found.post("/predict_batch", files=[("files", ("a", content))] * 10))
        [alarm] = sent(found.get("/health"))["alarms"]
        assert alarm.startswith(f"characters of version {version} has drifted")
        assert value(found.get("/metrics").text, f'drift{{of="characters",version="{version}"}}') > ALARM
    with client(rich_artefact(tmp_path / "unwatched")) as found:
        for _ in range(FEWEST // 10):
            found.post("/predict_batch", files=[("files", ("a", content))] * 10)
        assert sent(found.get("/health"))["alarms"] == []
