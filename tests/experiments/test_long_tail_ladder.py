"""The ladder: its statistics against independent ones, and a whole small one, killed on the way."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats
from sklearn.metrics import f1_score

from animeid.config.compose import compose
from animeid.errors import InputError
from experiments.long_tail import sets
from experiments.long_tail.compared import difference, holm
from experiments.long_tail.outcomes import Outcome, commits_of, derived, latency_of, over_seeds, seconds_of
from experiments.long_tail.page import expected_of_technique, expected_of_version, latency_cell
from experiments.long_tail.rows import BASE, ROWS, SMOKE, Job, rows_on
from experiments.long_tail.sets import built_in, smoke
from experiments.long_tail.study import jobs
from experiments.pool import do

ROOT = Path(__file__).resolve().parents[2]


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
    """By the training part of another run: folds have more or fewer pictures of a class."""
    names, f1, recall = ("a", "b", "c", "d"), (0.9, 0.4, 0.2, 0.0), (0.8, 0.5, 0.1, 0.0)
    answers = [
        {"label": name, "support": 0 if name == "d" else 5, "f1": one, "recall": other}
        for name, one, other in zip(names, f1, recall, strict=True)
    ]
    counts, shots = (30, 2, 2, 1), ("medium", "few", "few", "few")
    classes = [
        {"label": name, "train_count": count, "shot_group": shot}
        for name, count, shot in zip(names, counts, shots, strict=True)
    ]
    found = derived(answers, classes)
    assert found.pop("many/acc_macro") is None
    expected = {"smallest_f1": 0.3, "spread_f1": np.std([0.9, 0.4, 0.2])}
    assert found == pytest.approx(expected | {"medium/acc_macro": 0.8, "few/acc_macro": 0.3})


def outcome(targets: np.ndarray, answers: np.ndarray) -> Outcome:
    return Outcome({}, 0.0, None, frozenset(), targets, np.arange(len(targets)).astype(str), answers, targets == 0)


def test_the_gain_is_that_of_the_mean_over_seeds() -> None:
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(4), 10)
    good, bad = ([np.where(random.random(40) < right, targets, 0) for _ in range(3)] for right in (0.9, 0.4))
    rows = [[outcome(targets, answers) for answers in seeds] for seeds in (good, bad)]
    found = difference(rows[0], rows[1], "f1_macro")
    means = [np.mean([f1_score(targets, one, average="macro") for one in seeds]) for seeds in (good, bad)]
    assert found.difference == pytest.approx(means[0] - means[1])
    assert found.p is not None
    assert found.p < 0.01


def test_rows_of_other_pictures_are_not_compared() -> None:
    one, other = outcome(np.array([0, 1]), np.array([0, 1])), outcome(np.array([1, 1]), np.array([0, 1]))
    with pytest.raises(ValueError, match="other pictures"):
        difference([one], [other], "f1_macro")


def leave(folder: Path, command: Sequence[str], commit: str, latency_ms: float) -> None:
    """What a run leaves of how it was made and what it cost."""
    folder.mkdir(parents=True)
    cost = {"train_s": 10 * latency_ms, "latency_ms": latency_ms}
    (folder / "metrics.json").write_text(json.dumps({"cost": cost}))
    origin = {"command": shlex.join(command), "code": {"commit": commit}}
    (folder / "environment.json").write_text(json.dumps(origin))


def job_of(kind: str) -> Job:
    return Job(next(row for row in ROWS if row.name == kind), built_in(), 1)


def test_an_ensemble_is_made_by_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = job_of("folds")
    runs = [job.folder.parent / str(number) for number in range(2)]
    for run, commit, latency in zip(runs, "ab", (2.0, 3.0), strict=True):
        leave(run, job.command, 12 * commit, latency)
    job.folder.mkdir()
    (job.folder / "ensemble.json").write_text(json.dumps([{"run": str(run)} for run in runs]))
    assert commits_of(job) == {10 * "a", 10 * "b"}
    assert (latency_of(job), seconds_of(job)) == (5.0, 50.0)
    shutil.rmtree(runs[1])
    leave(runs[1], [*job.command, "seed=7"], "b", 3.0)
    with pytest.raises(ValueError, match="1 was made by other arguments than the row's"):
        commits_of(job)


@pytest.mark.parametrize("name", ["tta", "timm"])
def test_other_arguments_of_derived_rows_are_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = job_of(name)
    leave(job.folder, job.command, "a", 2.0)
    assert commits_of(job) == {"a"}
    shutil.rmtree(job.folder)
    leave(job.folder, [*job.command[:-1], "tta=flip"], "a", 2.0)
    with pytest.raises(ValueError, match="was made by other arguments"):
        commits_of(job)


def test_views_take_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, views in (("tta", 6), ("post_hoc", 1)):
        job = job_of(name)
        if not Path("outputs", job.base).exists():
            leave(Path("outputs", job.base), [], "a", 2.0)
        request = compose("evaluate", ["run=x", *job.command[5:]])
        job.folder.mkdir(parents=True)
        (job.folder / "request.yaml").write_text(yaml.safe_dump(request))
        assert latency_of(job) == 2.0 * views


def test_the_table_shows_how_long_an_answer_takes() -> None:
    assert latency_cell([5.0, 7.0, 30.0]) == "7.0"
    assert latency_cell([None]) == "–"


def test_cards_say_what_they_reached_and_by_what(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sets, "grouped_manifest", lambda *_: tmp_path)
    loaded = sets.loaded_groups(tmp_path)
    found, base = (
        {seed: replace(one, figures={"f1_macro": f1}, seconds=40.0) for seed in (1, 2)}
        for one, f1 in [(outcome(np.array([0]), np.array([0])), f1) for f1 in (0.5, 0.4)]
    )
    row = next(row for row in rows_on(loaded) if row.name == "v2")
    version = expected_of_version(row, found, loaded)
    assert version.startswith("with scale=small averaging.start_epoch=auto model.name=tf_efficientnet_lite0 ")
    assert "test f1_macro 50.0 ± 0.0 % on emoji_cast" in version
    technique = expected_of_technique(found, base, loaded)
    assert "optimizer.lr=1e-3 augment=basic" in technique
    assert technique.endswith("without it 40.0 ± 0.0 %; 40 s on one core.")


@pytest.mark.slow
def test_every_row_is_a_command_that_can_be_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sets, "grouped_manifest", lambda *_: tmp_path)
    loaded = sets.loaded_groups(tmp_path)
    for row, of in [*((row, built_in()) for row in ROWS), *((row, loaded) for row in rows_on(loaded))]:
        command = Job(row, of, 1).command
        if row.kind == "evaluate":
            request = compose("evaluate", ["run=x", *command[5:]])
            assert request["logit_adjustment"] or request["tta"]
        if row.kind == "stage":
            with pytest.raises(InputError, match="there is no run folder"):  # the only fault
                compose("train", command[3:])
        if row.kind in ("train", "folds"):
            request = compose("train", command[3:])
            assert request["trainer"]["max_epochs"] == of.epochs
            assert (request["recipe"] is None) == (row.name != "auto")
            assert f"model.name={request['model']['name']}" in of.network
            assert request["data"]["image_size"] in (64, "auto")
            has_own_rate = row.is_whole or of is not loaded
            assert has_own_rate or request["optimizer"]["lr"] == 1e-3


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
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    f1_column = next(line for line in cells if line[0] == "row" and "f1_macro" in line).index("f1_macro")
    printed = {line[0]: line[f1_column] for line in cells if len(line) > f1_column}
    for row in ROWS:
        assert (f"| {row.label} | 2 |" in text) == (row.name in SMOKE)
    assert {path.name for path in page.glob("*.png")} == {f"smoke_{name}.png" for name in ("ladder", "shots")}
    for name in SMOKE:
        row = next(row for row in ROWS if row.name == name)
        folders = [tmp_path / Job(row, smoke(), seed).folder for seed in smoke().seeds]
        tables = [pd.read_parquet(folder / "predictions.parquet") for folder in folders]
        tests = [table[table["split"] == "test"] for table in tables]
        f1 = np.mean([f1_score(test["label"], test["predicted"], average="macro") for test in tests])
        assert printed[row.label].split(" ")[0] == f"{100 * f1:.1f}"
    times = {line[0]: line[-1] for line in cells if len(line) > f1_column}
    labels = {row.name: row.label for row in ROWS}
    assert times[labels["timm"]] == "–"
    assert float(times[labels["tta"]]) == pytest.approx(6 * float(times[labels[BASE]]), abs=0.4)
    judged = tmp_path / "outputs" / f"long_tail-smoke-{BASE}-1" / "evaluations"
    asked = [judged / name / "request.yaml" for name in ("post_hoc", "tta")]
    requests = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in asked]
    assert [bool(request["tta"]) for request in requests] == [False, True]
    assert [bool(request["logit_adjustment"]) for request in requests] == [True, False]
