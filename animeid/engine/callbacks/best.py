"""`best.ckpt`: the weights of the epoch that was the best by a figure of validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint


class Best(ModelCheckpoint):
    """Forgets the best figure when a run goes on whose best checkpoint is lost: nothing worse would take its place."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if Path(state_dict["best_model_path"]).is_file():
            super().load_state_dict(state_dict)
