"""Which epoch's weights a run keeps, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

import pandas as pd

from animeid.metrics.ranking import DECIMALS, LOSS, tied_with
from animeid.runs.folder import RunFolder
from animeid.system.console import counted
from animeid.system.files import read_object, undamaged, write_json


@dataclass(frozen=True)
class BestEpoch:
    """The kept epoch, as `best_epoch.json` has it.

    epoch: counted from 1. epochs: that were trained. monitor: the figure of validation that decided; None where there
    is no such part, so that the last epoch is kept. figure: of the kept epoch. tied: how many others reached it. fixed:
    whether the last epoch was asked for. followed: what else of training followed the validation part.
    """

    epoch: int
    epochs: int
    monitor: str | None = None
    figure: float | None = None
    tied: int = 0
    fixed: bool = False
    followed: tuple[str, ...] = ()

    @classmethod
    def of(cls, history: pd.DataFrame, epoch: int, monitor: str | None, followed: Sequence[str] = ()) -> Self:
        """Args:
        history: a row an epoch.
        epoch: that is kept, counted from 1.
        monitor: the figure that decides where there is a validation part; None where the last epoch was asked for.
        followed: what else of training followed the validation part.
        """
        found = cls(epoch, len(history), fixed=monitor is None, followed=tuple(followed))
        if monitor is None or monitor not in history or history[monitor].isna().all():
            return found
        figure = round(float(history[monitor].iloc[epoch - 1]), DECIMALS)
        return replace(found, monitor=monitor, figure=figure, tied=tied_with(history, monitor, epoch - 1))

    @classmethod
    def read(cls, folder: RunFolder) -> Self | None:
        """None where nothing was trained, or an earlier version did."""
        if not folder.best_epoch.is_file():
            return None
        found = read_object(folder.best_epoch)
        with undamaged(folder.best_epoch):
            return cls(**{**found, "followed": tuple(found.get("followed", ()))})

    def write(self, folder: RunFolder) -> None:
        write_json(folder.best_epoch, asdict(self))

    @property
    def told(self) -> str:
        """In a sentence without its end."""
        kept = f"epoch {self.epoch} of {self.epochs} is kept"
        if self.fixed:
            return f"{kept}, the last, as asked: no figure of validation chooses"
        if self.monitor is None or self.figure is None:
            return f"{kept}, the last: there is no validation part to choose by"
        why = f"{kept}, the best by {self.monitor} ({self.figure:.3f}"
        if not self.tied or self.monitor == LOSS:
            return f"{why})"
        others = counted(self.tied, "other epoch", "have")
        return f"{why}, which {others} too: of equals the lowest {LOSS} decides, then the later epoch)"
