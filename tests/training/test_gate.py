"""The gate of a pruned run, on made-up answers."""

from __future__ import annotations

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
from animeid.training import gate as gates
from animeid.training.gate import gate

PAIR = {"before": 2e6, "after": 1e6}
SAVED = {"parameters": PAIR, "multiply_adds": PAIR, "latency_ms": {"before": 9.0, "after": 6.0}, "rounds_ms": {}}
CLASSES, PICTURES, UNREAD = 3, 600, 7


class Plan:
    def __init__(self, run: str, saved: dict[str, Any] | None = SAVED) -> None:
        self.run = run
        self.facts = SimpleNamespace(pruning=saved)
        self.trainer = SimpleNamespace(accelerator="cpu")

    def __getitem__(self, key: str) -> str:
        return {"from_run": self.run}[key]


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


@pytest.mark.parametrize(("more", "accepted"), [(-30, True), (0, True), (2, True), (12, False), (60, False)])
def test_half_a_point_may_be_lost(
    more: int, accepted: bool, judged: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.ckpt").touch()
    targets = np.arange(PICTURES) % CLASSES
    before, after = errors(targets, 60), errors(targets, 60 + more)
    monkeypatch.setattr(gates.Predictor, "load", lambda path, **_: Earlier(before))
    found = gate(Plan(str(tmp_path)), judged, of_run(after))["pruning"]  # type: ignore[arg-type]
    kept = np.delete(np.arange(PICTURES), UNREAD)
    scores = [f1_score(targets[kept], answers[kept], average="macro") for answers in (before, after)]
    assert list(found["f1_macro"].values()) == pytest.approx(scores)
    assert found["lost"] == pytest.approx(scores[0] - scores[1])
    assert (found["accepted"], found["pictures"]) == (accepted, PICTURES - 1)
    low, high = found["lost_ci"]
    assert low <= found["lost"] <= high
    line = pruning_line(found)
    assert line.endswith(": accepted" if accepted else ": not accepted, since at most 0.5 points may be lost")
    assert "2.00 to 1.00 million parameters" in line


def test_without_pruning_there_is_no_gate(judged: Prepared) -> None:
    assert gate(Plan("gone", None), judged, of_run(np.zeros(PICTURES, int))) == {}  # type: ignore[arg-type]


def test_what_cannot_be_told_is_not_accepted(judged: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    found = gate(Plan("outputs/gone"), judged, of_run(np.zeros(PICTURES, int)))["pruning"]  # type: ignore[arg-type]
    assert found["accepted"] is False
    assert "WARNING: outputs/gone is gone" in capsys.readouterr().out
    assert "not accepted: the run that it was pruned from is gone" in pruning_line(found)
