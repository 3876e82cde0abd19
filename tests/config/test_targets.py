"""Targets of cards stay where they are: the plans of old run folders name them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

KNOWN = sorted((Path(__file__).resolve().parents[1] / "fixtures").glob("targets_*.txt"))
"""A file for each version: what its cards could name."""


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_every_target_of_an_earlier_version_is_there(path: Path) -> None:
    targets = path.read_text(encoding="utf-8").split()
    assert targets
    for target in targets:
        module, name = target.rsplit(".", 1)
        assert hasattr(import_module(module), name), target
