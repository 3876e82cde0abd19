"""The tests of this room look at charts."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.deploy.compare.contender import Kind
from animeid.deploy.compare.fresh import Fresh


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> None:
    """Charts are drawn here."""


@pytest.fixture
def no_fresh_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started to measure a model: each imports torch."""

    def fresh(kind: Kind, path: Path, accelerator: str, threads: int) -> Fresh:
        assert path.is_dir()
        return Fresh(300.0, 2.0)

    monkeypatch.setattr("animeid.deploy.compare.command.measure_fresh", fresh)
