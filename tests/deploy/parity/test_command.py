"""`animeid.export` refuses what does not answer as its run did, and finds faster engines where it is asked to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animeid import export
from animeid.artefacts.artefact import Artefact
from animeid.deploy.parity import proof
from animeid.deploy.parity.agreement import EngineAnswers
from animeid.deploy.parity.gate import Gate
from animeid.deploy.runtime import Runtime

ASK = ("run=outputs/run", "output=made")


@pytest.fixture(autouse=True)
def nothing_is_left(at_home: Path) -> Iterator[None]:
    yield
    assert not (at_home / "made").exists()


def test_a_network_that_answers_otherwise_is_refused(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = proof.answers_of_runs

    def wrong(*given: Any) -> EngineAnswers:
        found = right(*given)
        return EngineAnswers(found.embeddings * np.float32(1.0002), found.logits)

    monkeypatch.setattr(proof, "answers_of_runs", wrong)
    assert export.main([*ASK]) == 2
    assert "ONNX Runtime answers otherwise than PyTorch: its answers differ by 2.0e-04" in capsys.readouterr().err


def test_too_few_pictures_are_refused_before_anything_is_made(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("animeid.deploy.exporting.write", lambda *given: pytest.fail("something was made"))
    assert export.main([*ASK, "compress=true"]) == 2
    assert "compress=true compares engines on at least 50 training and validation pictures" in capsys.readouterr().err


def test_pictures_that_are_gone_are_said(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof.Reader, "__call__", lambda *given: (np.zeros((32, 32, 3), np.uint8), "gone"))
    assert export.main(["run=outputs/run", f"output={tmp_path / 'made'}"]) == 0
    assert "how closely it answers as PyTorch does is not measured" in capsys.readouterr().err
    found = Artefact.load(tmp_path / "made")
    assert found.parity is None and [engine.precision for engine in found.engines] == ["float32"]
    assert "was not measured" in (tmp_path / "made" / "README.md").read_text(encoding="utf-8")


def measured(works: Sequence[Any], *given: Any) -> list[Any]:
    """Times by which the later an engine comes, the faster it is."""
    from animeid.deploy.compare.timing import Times

    return [{kind: Times((np.full(3, 1.0 / (place + 1)),) * 3) for kind in work} for place, work in enumerate(works)]


@pytest.mark.slow
def test_the_fastest_engine_that_passes_answers(at_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proof, "FEWEST", 10)
    monkeypatch.setattr(Gate, "refusal", lambda gate, precision, agreement: "")
    monkeypatch.setattr(proof.Bench.__init__, "__defaults__", (*proof.Bench.__init__.__defaults__[:-1], measured))
    assert export.main(["run=outputs/run", f"output={tmp_path / 'made'}", "compress=true"]) == 0
    found = Artefact.load(tmp_path / "made")
    record = json.loads((tmp_path / "made" / "parity.json").read_text(encoding="utf-8"))
    taken = [(one["library"], one["file"], one["precision"]) for one in record["engines"] if one["taken"]]
    assert [(engine.name, engine.file, engine.precision) for engine in found.engines] == taken
    assert all(one["reason"] for one in record["engines"] if not one["taken"])
    ways = {one["way"] for one in record["engines"]}
    assert {"float32", "bfloat16", "INT8 by NNCF", "INT8 by channel, MinMax"} <= ways
    (first, *others) = found.engines
    assert (first.file, first.precision) == ("model.int8.onnx", "int8")
    assert {engine.file for engine in others} == {"model.onnx"}
    pictures = sorted((at_home / "pictures").rglob("*.png"))[:20]
    fast, exact = (Runtime.load(tmp_path / "made", engine=name)(pictures).logits for name in ("auto", "float32"))
    assert np.abs(fast - exact).max() > 0 and (fast.argmax(1) == exact.argmax(1)).mean() > 0.8
