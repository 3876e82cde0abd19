"""Figures that a module draws, for tests that look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from matplotlib.figure import Figure

from animeid.plots.picture import picture


def noted(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that a module draws from now on, as they are when they are saved."""
    figures: list[Figure] = []

    @contextmanager
    def noting(path: Path, width: float, height: float) -> Iterator[Figure]:
        with picture(path, width, height) as figure:
            figures.append(figure)
            yield figure

    monkeypatch.setattr(module, "picture", noting)
    return figures
