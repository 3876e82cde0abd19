"""`best.ckpt`: the weights of the epoch that was the best by a figure of validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

PATHS = ("best_model_path", "kth_best_model_path")


class Best(ModelCheckpoint):
    """Lightning's checkpoint of the best epoch, among those that count.

    Where a run goes on in a folder that was moved, its best checkpoint moved too; one that is lost is forgotten with
    its figure, since nothing worse would take its place.

    Args:
        counts: whether the epoch that ends counts: where weights are averaged, those before the average begins do not.
    """

    def __init__(self, *, counts: Callable[[], bool], **settings: Any) -> None:
        super().__init__(**settings)
        self.counts = counts

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.counts():
            super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        moved = {**state_dict, "dirpath": self.dirpath}
        for name in PATHS:
            moved[name] = self._here(state_dict.get(name, ""))
        scores = state_dict.get("best_k_models", {})
        moved["best_k_models"] = {self._here(path): score for path, score in scores.items()}
        if Path(moved["best_model_path"]).is_file():
            super().load_state_dict(moved)

    def _here(self, path: str) -> str:
        return str(Path(self.dirpath or "", Path(path).name)) if path else ""
