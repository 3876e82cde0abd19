"""Patterns of paths: what is there as it is written, several of them, and their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.runs.patterns import paths_of


def test_what_is_there_means_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a[1]", "a1", "a2", "初音[ミク]"):
        Path(name).mkdir()
    found = {given: [str(path) for path in paths_of(given)] for given in ("a[1]", "a?", "a?:a[1]", "初音[ミク]", "b*:")}
    assert found["a[1]"] == ["a[1]"]
    assert found["a?"] == ["a1", "a2"]
    assert found["a?:a[1]"] == ["a1", "a2", "a[1]"]
    assert found["初音[ミク]"] == ["初音[ミク]"]
    assert found["b*:"] == []
    Path("a[1]").rmdir()
    assert paths_of("a[1]") == [Path("a1")], "a pattern where there is no such folder"
