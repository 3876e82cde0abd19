"""The training figures of each step as a CSV file."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger


def csv_file(save_dir: Path) -> CSVLogger:
    """Writes `logs/metrics.csv`, and `logs/resumed_N/metrics.csv` where a run goes on: Lightning would delete what is
    there."""
    versions = ("" if number == 0 else f"resumed_{number}" for number in count())
    free = next(version for version in versions if not (save_dir / "logs" / version / "metrics.csv").exists())
    return CSVLogger(save_dir, name="logs", version=free)
