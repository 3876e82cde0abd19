"""Which epoch's weights a run keeps, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import pandas as pd

from animeid.metrics.ranking import DECIMALS, LOSS, tied_with
from animeid.runs.folder import RunFolder
from animeid.system.files import read_json, write_json


@dataclass(frozen=True)
class BestEpoch:
    """The kept epoch, as `best_epoch.json` has it.

    epoch: counted from 1. epochs: that were trained. monitor: the figure of validation that decided; None where there
    is no such part, so that the last epoch is kept. figure: of the kept epoch. tied: how many others reached it.
    """

    epoch: int
    epochs: int
    monitor: str | None = None
    figure: float | None = None
    tied: int = 0

    @classmethod
    def of(cls, history: pd.DataFrame, epoch: int, monitor: str) -> Self:
        """Args:
        history: a row an epoch.
        epoch: that is kept, counted from 1.
        monitor: the figure that decides where there is a validation part.
        """
        if monitor not in history or history[monitor].isna().all():
            return cls(epoch, len(history))
        figure = round(float(history[monitor].iloc[epoch - 1]), DECIMALS)
        return cls(epoch, len(history), monitor, figure, tied_with(history, monitor, epoch - 1))

    @classmethod
    def read(cls, folder: RunFolder) -> Self | None:
        """None where nothing was trained, or an earlier version did."""
        return cls(**read_json(folder.best_epoch)) if folder.best_epoch.is_file() else None

    def write(self, folder: RunFolder) -> None:
        write_json(folder.best_epoch, asdict(self))

    @property
    def told(self) -> str:
        """In a sentence without its end."""
        kept = f"epoch {self.epoch} of {self.epochs} is kept"
        if self.monitor is None or self.figure is None:
            return f"{kept}, the last: there is no validation part to choose by"
        why = f"{kept}, the best by {self.monitor} ({self.figure:.3f}"
        if not self.tied or self.monitor == LOSS:
            return f"{why})"
        others = "1 other epoch has" if self.tied == 1 else f"{self.tied} other epochs have"
        return f"{why}, which {others} too: of equals the lowest {LOSS} decides, then the later epoch)"
