"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def emoji_cast() -> Path:
    """The folder of real pictures that lies beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "emoji_cast"
    if not (folder / "manifest.csv").is_file():
        pytest.skip("emoji_cast (real pictures) is not beside this checkout")
    return folder
