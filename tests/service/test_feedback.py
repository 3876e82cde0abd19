"""What users say, and the answers of those who agree, are kept; nothing else is."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from starlette.testclient import TestClient

from animeid.errors import InputError
from animeid.service import feedback as feedback_module
from animeid.service.command import check_writable
from animeid.service.feedback import Feedback
from animeid.service.logbook import COLUMNS, Logbook
from animeid.service.problems import Problem
from animeid.service.requests import ServeRequest
from tests.service.serving import KEPT, client, picture
from tests.service.test_predict import problem, sent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback")


@pytest.fixture(scope="module")
def found(home: Path) -> Iterator[TestClient]:
    with client(KEPT, feedback=str(home / "feedback.jsonl"), log=str(home)) as found:
        yield found


def said(answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    kept = {name: answer[name] for name in ("request_id", "version", "picture")}
    return {**kept, "answered": answer["character"], **more}


def test_feedback_waits_in_a_file(found: TestClient, home: Path) -> None:
    answer = sent(found.post("/predict", content=picture(0)))
    assert sent(found.post("/feedback", json=said(answer, verdict="right")), 202) == {"queued": True}
    sent(found.post("/feedback", json=said(answer, verdict="wrong", character="新しい")), 202)
    lines = [json.loads(line) for line in (home / "feedback.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == ["right", "wrong"]
    assert lines[1]["character"] == "新しい" and lines[1]["picture"] == answer["picture"] and lines[1]["by"] is None
    assert lines[0].keys() == lines[1].keys() and "time" in lines[0]


def test_a_disk_that_is_full_is_no_fault_of_the_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(Problem, match="cannot be written to") as refusal:
        Feedback(Path("/dev/full")).add({"verdict": "right"})
    assert refusal.value.status == 503 and refusal.value.retry_after == 60
    assert "feedback cannot be written to /dev/full: " in capsys.readouterr().err
    queue = Feedback(tmp_path / "queue.jsonl")
    queue.add({"verdict": "right"})
    before = queue.file.read_bytes()
    write = os.write
    with monkeypatch.context() as patch, pytest.raises(Problem, match="cannot be written to"):
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:9]))
        queue.add({"verdict": "wrong"})
    assert queue.file.read_bytes() == before


def test_a_place_that_takes_no_feedback_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written to \(Is a directory\): give another place"):
        check_writable(ServeRequest(feedback=str(tmp_path)))
    queue = Feedback(tmp_path / "queue.jsonl")
    queue.add({"verdict": "right"})
    before = queue.file.read_bytes()
    check_writable(ServeRequest(feedback=str(queue.file)))
    assert queue.file.read_bytes() == before


@pytest.mark.parametrize(
    "more",
    [
        {"verdict": "perhaps"},
        {"verdict": "right", "character": "another"},
        {"verdict": "wrong", "character": "Mei"},
        {"verdict": "wrong", "character": ""},
        {"verdict": "wrong", "more": 1},
        {"verdict": "wrong", "picture": "../../x"},
    ],
)
def test_feedback_that_says_nothing_is_refused(found: TestClient, more: dict[str, Any]) -> None:
    answer = {"request_id": "a", "version": "1e", "picture": "0" * 64, "character": "Mei"}
    problem(found.post("/feedback", json=said(answer, **more)), 422, "")


def test_feedback_is_small_and_json(found: TestClient) -> None:
    kind = {"content-type": "application/json; charset=utf-8"}
    problem(found.post("/feedback", content=b"{", headers=kind), 400, "Invalid JSON")
    problem(found.post("/feedback", content=b"{}", headers={"content-type": "text/plain"}), 415, "send JSON")
    problem(found.post("/feedback", content=bytes(70_000), headers=kind), 413, "more than 65,536 bytes")


def test_no_feedback_is_taken_unless_it_is_wanted_and_there_is_room(tmp_path: Path) -> None:
    with client(KEPT) as other:
        answer = {"request_id": "a", "version": "1e", "picture": "0" * 64, "character": "Mei"}
        problem(other.post("/feedback", json=said(answer, verdict="right")), 404, "feedback=FILE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feedback_module, "FULL_BYTES", 10)
        queue = Feedback(tmp_path / "queue")
        queue.add({"a": 1})
        with pytest.raises(Problem, match="503"):
            queue.add({"a": 1})


def test_answers_are_kept_of_those_who_agree(home: Path) -> None:
    folder = home / "own"
    with client(KEPT, log=str(folder)) as own:
        own.post("/predict", content=picture(1))
        agreed = sent(own.post("/predict?consent=true", content=picture(2)))
        sent(own.post("/predict_batch?consent=true", files=[("files", ("a", one)) for one in (picture(3), b"x")]))
        assert list(folder.glob("*")) == []
    [file] = folder.glob("*.parquet")
    rows = parquet.read_table(file).to_pylist()
    assert [column for column, _ in COLUMNS] == list(rows[0])
    assert len(rows) == 2 and rows[0]["picture"] == agreed["picture"] and rows[0]["confidence"] == agreed["confidence"]


def test_the_oldest_answers_make_room(tmp_path: Path) -> None:
    row = {name: "x" if kind == "string" else 1.0 for name, kind in COLUMNS if name != "time"}

    async def scene() -> None:
        book = Logbook(tmp_path, 6000)
        for _ in range(8):
            await book.add(row)
            await book.write()
        await book.write()

    asyncio.run(scene())
    files = sorted(tmp_path.glob("*.parquet"))
    total = sum(file.stat().st_size for file in files)
    assert 1 <= len(files) < 8 and total <= 6000 + files[0].stat().st_size
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]  # noqa: PTH208


def test_a_log_that_cannot_be_written_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    async def scene() -> None:
        book = Logbook(tmp_path, 6000)
        with monkeypatch.context() as patch:
            patch.setattr(Logbook, "_write", full)
            await book.add({})
            await book.write()
        assert await book.write() is None

    asyncio.run(scene())
    assert "1 answer is not in the log" in capsys.readouterr().err
