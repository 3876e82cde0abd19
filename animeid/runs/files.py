"""Names of the files in a run's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFiles:
    """Where each file of the run in `path` is, whether it is there or not."""

    path: Path

    @property
    def lock_file(self) -> Path:
        """That of the process at work on the run; it is there no longer than that process, unless it is killed."""
        return self.path / ".lock"

    @property
    def request(self) -> Path:
        return self.path / "request.yaml"

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.parquet"

    @property
    def labels(self) -> Path:
        return self.path / "labels.json"

    @property
    def skipped(self) -> Path:
        return self.path / "skipped.csv"

    @property
    def conflicts(self) -> Path:
        return self.path / "conflicts.csv"

    @property
    def transfer(self) -> Path:
        return self.path / "transfer.csv"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def history(self) -> Path:
        return self.path / "history.csv"

    @property
    def best_epoch(self) -> Path:
        return self.path / "best_epoch.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        return self.checkpoints / "last.ckpt"

    @property
    def previous(self) -> Path:
        """The checkpoint before the last."""
        return self.checkpoints / "previous.ckpt"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions.parquet"

    @property
    def logits(self) -> Path:
        return self.path / "logits.npy"

    @property
    def embeddings(self) -> Path:
        return self.path / "embeddings.npy"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def calibration(self) -> Path:
        return self.path / "calibration.json"

    @property
    def cams(self) -> Path:
        return self.path / "cams.npz"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        return self.path / "figures"
