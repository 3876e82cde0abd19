"""The tests of this room look at charts."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> None:
    """Charts are drawn here."""
