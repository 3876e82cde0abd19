"""Contract of feedback callbacks.

A feedback callback tells a part of the run what training makes of it, and owns what it needs for that.

What must outlast a process is written into the checkpoint by `on_save_checkpoint` and read by `on_load_checkpoint`; the
module has both called for checkpoints of weights alone, too.
"""

from __future__ import annotations

from lightning.pytorch import LightningModule, Trainer

from animeid.engine.callbacks.epoch import EpochStart


class Feedback(EpochStart):
    """The part of the contract that is empty for most.

    needs_validation: what follows the validation part, as the beginning of a sentence; None where it can do without.
    """

    needs_validation: str | None = None

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Nothing changes."""
