"""`best.ckpt`: the weights of the epoch that was the best by a figure of validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint


class Best(ModelCheckpoint):
    """Lightning's checkpoint of the best epoch, among those that count.

    Knows the best figure of a run that goes on wherever its folder lies now: Lightning forgets it after a move. It is
    forgotten where the best checkpoint is lost, since nothing worse would take its place.

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
        best = Path(str(self.dirpath), Path(state_dict["best_model_path"]).name)
        if best.is_file():
            score = state_dict["best_model_score"]
            here = {"dirpath": self.dirpath, "best_model_path": str(best), "kth_best_model_path": str(best)}
            # Without a figure to monitor there is no score, and the last epoch counts as the best.
            models = {str(best): score} if state_dict["best_k_models"] else {}
            super().load_state_dict({**state_dict, **here, "best_k_models": models, "last_model_path": ""})
