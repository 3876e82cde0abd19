"""Checkpoints that are whole or not there, with a checksum inside and the one before kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from animeid.system.checksum import SummedStream
from animeid.system.files import atomic


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, syncs and moves.

    Lightning's own writer goes through the system's temporary folder; where that is another file system, the last move
    is a copy, and a kill in the middle leaves a torn checkpoint.

    Args:
        before: where a checkpoint is moved when a new one takes its place; others are replaced.
    """

    def __init__(self, before: Mapping[Path, Path] | None = None) -> None:
        super().__init__()
        # Lightning's callbacks name their folder from the root.
        self.before = {path.resolve(): earlier for path, earlier in (before or {}).items()}

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic(target, before=self.before.get(target.resolve())) as stream:
            _write(checkpoint, SummedStream(stream))


def _write(checkpoint: dict[str, Any], stream: SummedStream) -> None:
    try:
        torch.save(checkpoint, stream)  # type: ignore[arg-type]  # it needs write and flush only
    except RuntimeError:
        if stream.error is not None:
            raise stream.error from None
        raise
    stream.close_archive()
