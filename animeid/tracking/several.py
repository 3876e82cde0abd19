"""Several loggers as one card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lightning.pytorch.loggers import Logger


def several(save_dir: Path, loggers: Mapping[str, Callable[..., Logger]]) -> list[Logger]:
    """Builds each logger of a mapping of cards.

    Args:
        save_dir: the run's folder.
        loggers: cards by name; the names serve the command line only.
    """
    return [build(save_dir=save_dir) for build in loggers.values()]
