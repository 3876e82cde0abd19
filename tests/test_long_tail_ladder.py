"""The ladder: its statistics against independent ones, and a whole small one, killed on the way."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from animeid.config.compose import compose
from experiments.long_tail.compared import difference, holm
from experiments.long_tail.outcomes import Outcome, derived, over_seeds
from experiments.long_tail.rows import BASE, ROWS, SMOKE, Job
from experiments.long_tail.sets import built_in, smoke
from experiments.long_tail.study import jobs
from experiments.pool import do

ROOT = Path(__file__).resolve().parents[1]


def closed_test(p_values: list[float]) -> list[float]:
    """Holm's values as the closed testing procedure of Bonferroni tests: the largest over all subsets with a member."""
    members = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in itertools.combinations(members, size)]
    return [max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in subsets if member in s) for member in members]


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_closed_testing(seed: int) -> None:
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 6).tolist()
    found = holm({str(place): p for place, p in enumerate(p_values)})
    np.testing.assert_allclose(list(found.values()), closed_test(p_values))


def test_rows_without_p_do_not_count() -> None:
    assert holm({"a": 0.02, "b": None, "c": 0.03}) == {"a": 0.04, "b": None, "c": 0.04}


def test_the_interval_over_seeds_is_students() -> None:
    values = [0.4, 0.5, 0.45]
    mean, half = over_seeds(values)  # type: ignore[misc]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    np.testing.assert_allclose([mean - half, mean + half], [low, high])
    assert over_seeds([0.4]) == (0.4, None)
    assert over_seeds([0.4, None]) is None


def test_the_smallest_classes_and_the_spread() -> None:
    rows = [
        {"support": 5, "train_count": 9, "f1": 0.9},
        {"support": 5, "train_count": 2, "f1": 0.4},
        {"support": 5, "train_count": 2, "f1": 0.2},
        {"support": 0, "train_count": 1, "f1": 0.0},
    ]
    assert derived(rows) == pytest.approx({"smallest_f1": 0.3, "spread_f1": np.std([0.9, 0.4, 0.2])})


def outcome(targets: np.ndarray, answers: np.ndarray) -> Outcome:
    return Outcome({}, 0.0, targets, np.arange(len(targets)).astype(str), answers, targets == 0)


def test_seeds_are_pooled() -> None:
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(4), 10)
    good, bad = ([np.where(random.random(40) < right, targets, 0) for _ in range(3)] for right in (0.9, 0.4))
    rows = [[outcome(targets, answers) for answers in seeds] for seeds in (good, bad)]
    found = difference(rows[0], rows[1], "f1_macro")
    pooled = [f1_score(np.tile(targets, 3), np.concatenate(seeds), average="macro") for seeds in (good, bad)]
    assert found.difference == pytest.approx(pooled[0] - pooled[1])
    assert found.p is not None
    assert found.p < 0.01


def test_rows_of_other_pictures_are_not_compared() -> None:
    one, other = outcome(np.array([0, 1]), np.array([0, 1])), outcome(np.array([1, 1]), np.array([0, 1]))
    with pytest.raises(ValueError, match="other pictures"):
        difference([one], [other], "f1_macro")


def test_every_row_is_a_command_that_can_be_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for row in ROWS:
        command = Job(row, built_in(), 1).command
        if row.kind in ("train", "folds"):
            request = compose("train", command[3:])
            assert request["trainer"]["max_epochs"] == 20
            assert (request["recipe"] is None) == (row.name != "auto")
            assert request["model"]["name"] == "resnet10t"
            assert request["data"]["image_size"] in (64, "auto")


def test_all_of_a_seed_comes_before_the_next() -> None:
    order = [job.seed for job in jobs([built_in()], None)]
    assert order == sorted(order)
    assert len(order) == 3 * len(ROWS)


@dataclass(frozen=True)
class Note:
    """A job that appends its name to a file, once the job that it needs has."""

    name: str
    folder: Path
    needs: str | None = None
    status: int = 0

    @property
    def is_done(self) -> bool:
        return (self.folder / self.name).is_file()

    @property
    def command(self) -> list[str]:
        need = f"assert Path({str(self.folder / self.needs)!r}).is_file();" if self.needs else ""
        work = f"{need} Path({str(self.folder / self.name)!r}).touch(); raise SystemExit({self.status})"
        return [sys.executable, "-c", f"from pathlib import Path; {work}"]


def test_jobs_wait_for_what_they_need_and_are_done_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old").touch()
    before = (tmp_path / "old").stat().st_mtime_ns
    work = [
        Note("second", tmp_path, "first"),
        Note("first", tmp_path),
        Note("old", tmp_path),
        Note("new", tmp_path, "old"),
    ]
    do(work, tmp_path / "logs")
    assert all(job.is_done for job in work)
    assert (tmp_path / "old").stat().st_mtime_ns == before
    assert "3 of 4 jobs are left" in capsys.readouterr().out


def test_a_job_that_fails_is_told_and_leaves_out_what_needs_it(tmp_path: Path) -> None:
    work = [Note("bad", tmp_path, status=3), Note("later", tmp_path, "bad"), Note("other", tmp_path)]
    with pytest.raises(SystemExit, match=r"bad failed with status 3: see .*bad\.log"):
        do(work, tmp_path / "logs")
    assert not (tmp_path / "later").exists()
    assert (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_small_ladder_goes_on_after_a_kill_and_writes_its_page(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "experiments.long_tail.study", "smoke=yes"]
    first = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)
    base = tmp_path / "outputs" / f"long_tail-smoke-{BASE}-1"
    while not (base / "metrics.json").is_file():
        assert first.poll() is None
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    began = (base / "metrics.json").stat().st_mtime_ns
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert (base / "metrics.json").stat().st_mtime_ns == began, "what was finished is done again"
    page = tmp_path / "outputs" / "long_tail-smoke"
    text = (page / "README.md").read_text(encoding="utf-8")
    for row in ROWS:
        assert (f"| {row.label} | 2 |" in text) == (row.name in SMOKE)
    assert {path.name for path in page.glob("*.png")} == {f"smoke_{name}.png" for name in ("ladder", "shots")}
    for name in SMOKE:
        for seed in smoke().seeds:
            job = Job(next(row for row in ROWS if row.name == name), smoke(), seed)
            found = json.loads((tmp_path / job.folder / "metrics.json").read_text())["test"]["f1_macro"]
            assert 0 <= found <= 1
