"""The gate of a pruned run, on made-up answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from animeid.data.prepare import Prepared
from animeid.metrics.table import pruning_line
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.lineage import Lineage
from animeid.system.files import write_json, write_yaml
from animeid.training import gate as gates
from animeid.training.gate import gate

PAIR = {"before": 2e6, "after": 1e6}
SAVED = {"parameters": PAIR, "multiply_adds": PAIR, "latency_ms": {"before": 9.0, "after": 6.0}, "rounds_ms": {}}
CLASSES, PICTURES, UNREAD = 3, 600, 7


SHAPES = {"conv1.weight": [8, 3, 3, 3]}


def plan(saved: dict[str, Any] | None = SAVED, shapes: dict[str, Any] | None = SHAPES) -> Any:
    class Plan(dict[str, Any]):
        facts = SimpleNamespace(pruning=saved)
        trainer = SimpleNamespace(accelerator="cpu")

    return Plan(model={"shapes": shapes})


def run(folder: Path, labels: Sequence[str], shapes: dict[str, Any] | None = None) -> RunFolder:
    found = RunFolder(folder)
    found.checkpoints.mkdir(parents=True)
    found.best.touch()
    write_json(found.labels, list(labels))
    write_yaml(found.config, {"model": {"shapes": shapes}, "facts": {"pruning": SAVED if shapes else None}})
    return found


def answered(answers: np.ndarray, rows: np.ndarray) -> Predictions:
    nothing = np.zeros((len(rows), 1), np.float32)
    return Predictions(rows, np.eye(CLASSES, dtype=np.float32)[answers], nothing, nothing[:, 0])


def of_run(answers: np.ndarray) -> Predictions:
    """Of the pictures of the manifest, the last of which is of no class."""
    return answered(np.append(answers, 0), np.arange(PICTURES + 1))


@pytest.fixture
def judged(prepared: Prepared) -> Prepared:
    """Pictures of three classes, the last of no class."""
    table = prepared.manifest.table.iloc[np.arange(PICTURES + 1) % 12].reset_index(drop=True)
    targets = np.append(np.arange(PICTURES) % CLASSES, -1)
    groups = [str(number) for number in range(PICTURES + 1)]
    return replace(prepared, manifest=replace(prepared.manifest, table=table.assign(target=targets, group=groups)))


class Earlier:
    """Answers as it is told the pictures that are of a class, but for one that cannot be read any more."""

    def __init__(self, answers: np.ndarray) -> None:
        self.answers = answers

    def __call__(self, paths: list[Any]) -> Predictions:
        assert len(paths) == PICTURES
        kept = np.delete(np.arange(PICTURES), UNREAD)
        return answered(self.answers[kept], kept)


def errors(targets: np.ndarray, number: int) -> np.ndarray:
    """Answers that are right but for the first so many pictures of an order."""
    wrong = np.random.default_rng(1).permutation(PICTURES)[:number]
    answers = targets.copy()
    answers[wrong] = (answers[wrong] + 1) % CLASSES
    return answers


@pytest.fixture
def from_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the plan start from these runs, the nearest first, of which the last answers as it is told."""

    def start(*runs: RunFolder, answers: np.ndarray | None = None) -> None:
        def load(path: Path, **_: Any) -> Earlier:
            assert path == runs[-1].path
            assert answers is not None
            return Earlier(answers)

        monkeypatch.setattr(gates, "lineage", lambda plan: Lineage(runs))
        monkeypatch.setattr(gates.Predictor, "load", load)

    return start


TARGETS = np.arange(PICTURES) % CLASSES


@pytest.mark.parametrize(("more", "accepted"), [(-30, True), (0, True), (2, True), (12, False), (60, False)])
def test_half_a_point_may_be_lost(
    more: int, accepted: bool, judged: Prepared, tmp_path: Path, from_runs: Callable[..., None]
) -> None:
    before, after = errors(TARGETS, 60), errors(TARGETS, 60 + more)
    from_runs(run(tmp_path, judged.labels), answers=before)
    found = gate(plan(), judged, of_run(after))["pruning"]
    kept = np.delete(np.arange(PICTURES), UNREAD)
    scores = [f1_score(TARGETS[kept], answers[kept], average="macro") for answers in (before, after)]
    assert list(found["f1_macro"].values()) == pytest.approx(scores)
    assert found["lost"] == pytest.approx(scores[0] - scores[1])
    assert (found["accepted"], found["pictures"]) == (accepted, PICTURES - 1)
    low, high = found["lost_ci"]
    assert low <= found["lost"] <= high
    line = pruning_line(found)
    assert line.endswith(": accepted" if accepted else ": not accepted, since at most 0.5 points may be lost")
    assert "2.00 to 1.00 million parameters" in line
    assert f"{100 * (scores[1] - scores[0]):+.1f} points ({0 - 100 * high:+.1f} to {0 - 100 * low:+.1f})" in line


def test_whoever_goes_on_from_a_pruned_run_is_judged_against_the_whole_one(
    judged: Prepared, tmp_path: Path, from_runs: Callable[..., None]
) -> None:
    runs = run(tmp_path / "cut", judged.labels, SHAPES), run(tmp_path / "whole", judged.labels)
    from_runs(*runs, answers=TARGETS)
    found = gate(plan(None), judged, of_run(errors(TARGETS, 60)))["pruning"]
    assert found["accepted"] is False
    assert found["latency_ms"] == SAVED["latency_ms"]


def test_without_pruning_or_among_other_classes_there_is_no_gate(
    judged: Prepared, tmp_path: Path, from_runs: Callable[..., None]
) -> None:
    from_runs(run(tmp_path, ("a", "b")))
    for one in (plan(None, None), plan()):
        assert gate(one, judged, of_run(TARGETS)) == {}


def test_what_cannot_be_told_is_not_accepted(
    judged: Prepared, from_runs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    from_runs()
    for saved in (SAVED, None):
        found = gate(plan(saved), judged, of_run(TARGETS))["pruning"]
        assert found["accepted"] is False
        assert "WARNING: the run that was pruned is gone" in capsys.readouterr().out
        assert "; not accepted: the run that was pruned is gone" in pruning_line(found)
