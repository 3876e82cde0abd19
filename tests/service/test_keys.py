"""Keys are kept as digests, checked on every request, and limited in their rate."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from animeid import serve
from animeid.errors import InputError
from animeid.service.guard import Guard
from animeid.service.keys import Keys, new_key, read_keys
from animeid.service.problems import Problem
from animeid.service.rates import Rates
from tests.service.serving import KEPT, client, picture
from tests.service.test_predict import problem, sent


def test_a_key_is_shown_once_and_kept_as_a_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys.jsonl"
    assert serve.main([f"keys={file}", "new_key=alice"]) == 0
    key = capsys.readouterr().out.splitlines()[0]
    assert serve.main([f"keys={file}", "new_admin_key=ops"]) == 0
    assert key not in file.read_text() and len(key) > 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = Keys(file).find(key)
    assert found is not None and (found.name, found.role) == ("alice", "user")
    assert [one.role for one in read_keys(file).values()] == ["user", "admin"]
    assert Keys(file).find("another") is None
    assert serve.main([f"keys={file}", "new_key=alice"]) == 2
    assert "has a key of alice" in capsys.readouterr().err
    assert serve.main([f"keys={file}", "new_key=a b"]) == 2


@pytest.mark.parametrize(
    ("keys", "name", "sentence"),
    [
        ("keys.jsonl", "", "'' is no name of a key: give up to 64 letters"),
        ("nowhere/keys.jsonl", "bob", "keys=nowhere/keys.jsonl cannot be written (No such file or directory): name a"),
        ("folder", "bob", "keys=folder cannot be written (Is a directory): name a file"),
        ("picture.png", "bob", "keys=picture.png is no text: name a file that was made with new_key=NAME"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_in_a_sentence(
    keys: str,
    name: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("picture.png").write_bytes(b"\x89PNG\xff")
    for role in ("new_key", "new_admin_key"):
        assert serve.main([f"keys={keys}", f"{role}={name}"]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"animeid: error: {sentence}") and said.count("\n") == 1
    assert Path("picture.png").read_bytes() == b"\x89PNG\xff"


@pytest.mark.parametrize("line", ["x", "[]", '{"name": "a"}', '{"name": "a", "sha256": "1"}', '{"name": 1, "rate": 0}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "keys.jsonl"
    new_key(file, "alice", "user")
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(InputError, match="line 3 of"):
        read_keys(file)


def test_a_key_that_is_deleted_opens_nothing_any_more(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    alice, bob = (new_key(file, name, "user") for name in ("alice", "bob"))
    keys = Keys(file)
    lines = file.read_text().splitlines()
    file.write_text(lines[1] + "\n")
    keys.refresh()
    assert keys.find(alice) is None and keys.find(bob) is not None
    file.write_text("damaged")
    with pytest.raises(InputError):
        keys.refresh()
    assert keys.find(bob) is not None


def test_a_bucket_holds_what_comes_in_a_second(tmp_path: Path) -> None:
    time = [100.0]
    rates = Rates(tmp_path, now=lambda: time[0])
    assert [rates.take("a", 3) for _ in range(3)] == [0, 0, 0]
    assert rates.take("a", 3) == pytest.approx(1 / 3)
    assert rates.take("b", 0.5) == 0 and rates.take("b", 0.5) == pytest.approx(2)
    time[0] += 0.34
    assert rates.take("a", 3) == 0 and rates.take("a", 3) > 0
    time[0] += 1000
    assert [rates.take("a", 3) for _ in range(3)] == [0, 0, 0] and rates.take("a", 3) > 0


def test_workers_share_a_bucket(tmp_path: Path) -> None:
    passed = []

    def worker() -> None:
        own = Rates(tmp_path, now=lambda: 0.0)
        passed.extend(own.take("a", 50) == 0 for _ in range(40))

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), sum(passed)) == (160, 50)


def test_requests_need_a_key_and_keep_to_its_rate(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    headers = {"X-API-Key": new_key(file, "alice", "user")}
    with client(KEPT, keys=str(file), rate=0.01) as found:
        for path in ("/health", "/health/live", "/health/ready"):
            assert found.get(path).status_code == 200
        for path in ("/models", "/characters", "/metrics"):
            assert found.get(path).headers["www-authenticate"] == 'Bearer realm="animeid"'
        problem(found.post("/predict", content=picture(0)), 401, "keys only")
        problem(found.post("/predict", content=picture(0), headers={"X-API-Key": "x"}), 401, "does not know this key")
        assert sent(found.post("/predict", content=picture(0), headers=headers))["model"] == "default"
        limited = found.post("/predict", content=picture(0), headers=headers)
        problem(limited, 429, "alice may ask 0.01 times a second")
        assert 90 <= int(limited.headers["retry-after"]) <= 100


def test_a_line_may_have_a_rate_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    key = new_key(file, "alice", "user")
    file.write_text(json.dumps({**json.loads(file.read_text()), "rate": 1000}) + "\n")
    os.makedirs(tmp_path / "rates")  # noqa: PTH103
    guard = Guard(Keys(file), Rates(tmp_path / "rates"), 0.001)
    for _ in range(20):
        guard.check(key)
    with pytest.raises(Problem):
        guard.check_admin(key)


def test_a_file_without_a_last_line_end_keeps_its_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    new_key(file, "first", "user")
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    new_key(file, "second", "user")
    assert {key.name for key in read_keys(file).values()} == {"first", "second"}
