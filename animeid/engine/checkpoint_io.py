"""Checkpoints that are whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from animeid.folder import atomic


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, syncs and moves.

    Lightning's own writer goes through the system's temporary folder; where that is another file system, the last move
    is a copy, and a kill in the middle leaves a torn checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic(target) as stream:
            torch.save(checkpoint, stream)
