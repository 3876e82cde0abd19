"""Drift is measured against an independent computation, and chance alone raises no alarm."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx2
import numpy as np
import pytest
from scipy.stats import entropy

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import MEANS, METRICS
from animeid.deploy.spread import Spread
from animeid.predictions import Predictions
from animeid.retrieval.class_means import nearest_distance
from animeid.retrieval.neighbours import normalised
from animeid.service.drift import ALARM, FEWEST, GROUPS, Drift, Expected, groups, stability, unwatched
from animeid.service.metrics import Metrics
from animeid.service.turn import Turn
from animeid.service.window import ROWS, Window
from animeid.system.files import read_json, write_json
from tests.deploy.tiny_artefact import reference
from tests.service.rich_artefact import COLOURS, colour, rich_artefact
from tests.service.serving import client, picture, png, running
from tests.service.test_predict import sent, value
from tests.service.test_running import children


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


def test_a_shift_is_seen_once_enough_was_seen(tmp_path: Path) -> None:
    plain = {"confidence": [0] * 10 + [5] * 10, "characters": [30, 20]}
    expected = Expected.of({**plain, "distance": {"edges": [0.25, 0.5, 0.75], "counts": [13, 12, 12, 13]}})
    assert expected is not None
    random = np.random.default_rng(0)
    drift = Drift(expected, Window.opened(tmp_path / "seen"))
    for _ in range(FEWEST - 1):
        drift.see(random.uniform(0.5, 1), int(random.random() < 0.4), random.uniform())
    assert drift.measured() == {}
    drift.see(0.7, 0, 0.3)
    assert all(index < ALARM for index in drift.measured().values())
    for _ in range(ROWS):
        drift.see(0.3, 1, 0.8)
    assert list(drift.measured()) == ["confidence", "characters", "distance"]
    assert all(index > ALARM for index in drift.measured().values())
    assert Expected.of(None) is None


def test_all_see_the_same_window_and_only_the_last_answers(tmp_path: Path) -> None:
    one, other = (Window.opened(tmp_path / "seen") for _ in range(2))
    for number in range(ROWS + 300):
        (one if number % 3 else other).add(number / 2000, number, float("nan"))
    assert sorted(one.rows()["target"].tolist()) == list(range(300, ROWS + 300))
    assert np.array_equal(one.rows()["target"], other.rows()["target"])
    assert one.file.stat().st_size < 20_000


def clusters(pictures: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings around 40 centres, and their classes."""
    random, centres = np.random.default_rng(seed), np.random.default_rng(7).normal(size=(40, 64))
    targets = random.permutation(np.arange(pictures) % 40)
    return centres[targets] + spread * random.normal(size=(pictures, 64)), targets


@pytest.mark.parametrize("each", [5, 10])
def test_embeddings_that_move_raise_an_alarm_and_new_ones_of_the_same_kind_do_not(each: int, tmp_path: Path) -> None:
    embeddings, targets = clusters(40 * each, 0)
    logits = np.eye(40, dtype=np.float32)[targets] * 9
    answers = Predictions(np.arange(len(targets)), logits, embeddings, np.zeros(len(targets)))
    spread = Spread.of(answers, targets, by_twin=False)
    expected = Expected.of(spread.counts)
    assert expected is not None and spread.means is not None
    directions = normalised(spread.means)
    for name, width, is_alarm in (("same", 1.0, False), ("blurred", 1.5, True), ("tight", 0.5, True)):
        drift = Drift(expected, Window.opened(tmp_path / name))
        for embedding, target in zip(*clusters(800, 1, width), strict=True):
            drift.see(0.9996, int(target), nearest_distance(embedding, directions))
        index = drift.measured()["distance"]
        assert (index > ALARM) == is_alarm, (name, index)


def test_the_distance_index_is_that_of_its_definition(tmp_path: Path) -> None:
    """Of Kullback and Leibler's divergences in both directions, by scipy."""
    counts = np.array([30.0, 20, 50])
    plain = {"confidence": [0, 100], "characters": [100], "distance": {"edges": [0.2, 0.4], "counts": counts.tolist()}}
    expected = Expected.of(plain)
    assert expected is not None
    drift = Drift(expected, Window.opened(tmp_path / "seen"))
    seen = np.random.default_rng(0).uniform(0.1, 0.7, 300)
    for one in seen:
        drift.see(0.9, 0, float(one))
    found = np.histogram(seen, [0, 0.2, 0.4, 1])[0]
    both = entropy(found, counts) + entropy(counts, found)
    assert drift.measured()["distance"] == pytest.approx(both - 2 * (1 / 100 + 1 / 300))


def test_what_is_not_watched_is_said() -> None:
    assert unwatched(None).endswith("export it again") and unwatched({"judged": "val"}).endswith("export it again")
    assert unwatched({"answers": {"confidence": []}}).endswith("before they travelled: export it again")
    assert unwatched({"answers": {"no_distance": "it rained"}}).endswith("for it rained")
    assert unwatched({"answers": {"distance": {}}}) == ""


def watched_artefact(folder: Path) -> str:
    """One that was judged on red pictures, of little confidence; its version."""
    rich_artefact(folder)
    means = reference(np.stack([np.full((20, 24, 3), one, np.uint8) for one in COLOURS]))[0]
    np.savez(folder / MEANS, means=means.astype(np.float16))
    spread = {"confidence": [0, 0, 0, 100], "characters": [34, 33, 33]}
    metrics = {**read_json(folder / METRICS), "answers": {**spread, "distance": {"edges": [0.001], "counts": [90, 10]}}}
    write_json(folder / METRICS, metrics)
    return seal(folder)


def test_every_worker_says_the_alarms_of_all(tmp_path: Path) -> None:
    """No worker alone sees enough; and what was seen outlives the one that saw it."""
    version = watched_artefact(tmp_path / "artefact")
    with running(tmp_path / "artefact", "workers=2") as several:
        for number in range(FEWEST // 10 + 4):
            files = [("files", ("a", picture(10 * number + place))) for place in range(10)]
            assert httpx2.post(f"{several.address}/predict_batch", files=files, timeout=20).status_code == 200
        name = f'drift{{of="distance",version="{version}"}}'
        told = {
            (str(several.get("/health").json()["alarms"]), value(several.get("/metrics").text, name)) for _ in range(20)
        }
        assert len(told) == 1 and f"distance of version {version} has drifted" in str(told)
        workers = children(several.process.pid)
        os.kill(workers[0], signal.SIGKILL)
        while workers[0] in children(several.process.pid) or len(children(several.process.pid)) < 2:
            time.sleep(0.05)
        assert {str(several.get("/health").json()["alarms"]) for _ in range(20)} == {next(iter(told))[0]}


def test_one_says_what_is_common(tmp_path: Path) -> None:
    with Turn(tmp_path / "turn") as first:
        with Turn(tmp_path / "turn") as second:
            assert first.is_mine() and first.is_mine() and not second.is_mine()
        assert first.is_mine()
    with Turn(tmp_path / "turn") as second:
        assert second.is_mine()


def test_a_version_says_what_of_it_is_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = watched_artefact(tmp_path / "watched")
    with client(tmp_path / "watched", rich_artefact(tmp_path / "unwatched")) as found:
        [watched, other] = sorted(sent(found.get("/models"))["versions"], key=lambda one: one["version"] != version)
        assert watched["watched"] == ["confidence", "characters", "distance"] and watched["unwatched"] is None
        assert other["watched"] == [] and other["unwatched"].endswith("export it again")
    assert f"version {other['version']}: nothing says" in capsys.readouterr().err


def test_no_index_is_left_of_a_version_that_answers_no_more(tmp_path: Path) -> None:
    drifts = {"aa": {"distance": 0.5}}
    text = Metrics().text(drifts).decode()
    assert value(text, 'drift{of="distance",version="aa"}') == 0.5
    assert 'version="aa"' not in Metrics().text({}).decode()


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
