"""`best.ckpt`: the weights of the epoch that was the best by a figure of validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from animeid.data.samplers.contract import begins_at
from animeid.losses.contract import HasPhases, parts_with
from animeid.metrics.ranking import LOSS, standing
from animeid.types import Sampler

if TYPE_CHECKING:
    from animeid.engine.module import CharacterModule


class Best(ModelCheckpoint):
    """Lightning's checkpoint of the best epoch, among those that count.

    Of epochs with the same figure, of which Lightning would keep the first, it is the one with the lowest validation
    loss, and the later one where that is the same too.

    Knows the best figure of a run that goes on wherever its folder lies now: Lightning forgets it after a move. It is
    forgotten where the best checkpoint is lost, since nothing worse would take its place.

    Args:
        counts: whether the epoch that ends counts: where weights are averaged, those before the average begins do not.
    """

    def __init__(self, *, counts: Callable[[], bool], **settings: Any) -> None:
        super().__init__(**settings)
        self.counts = counts
        self.best_loss: float | None = None

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        if current is None:
            return False
        loss = loss_of(trainer)
        is_best = self.best_model_score is None or self._stands(current, loss) >= self._stands(
            self.best_model_score, self.best_loss
        )
        if is_best := bool(trainer.strategy.reduce_boolean_decision(is_best)):
            self.best_loss = loss
        return is_best

    def _stands(self, figure: Tensor, loss: float | None) -> tuple[float, float]:
        return standing(float(figure), loss, self.mode)  # type: ignore[arg-type]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "best_loss": self.best_loss}

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
            self.best_loss = state_dict.get("best_loss")  # versions before did not look at it


def loss_of(trainer: Trainer) -> float | None:
    """The validation loss of the epoch that ends; None where there is no such part."""
    loss = trainer.callback_metrics.get(LOSS)
    return None if loss is None else float(loss)


def epochs_that_count(module: CharacterModule, sampler: Sampler) -> Callable[[], bool]:
    """Tells whether the epoch that ends may be the best one.

    Where weights are averaged, or loss or sampler change once training is far enough, those before are the way to it:
    a better figure of theirs would be that of another technique than the one asked for.
    """

    def counts() -> bool:
        is_averaged = module.averager is None or module.averager.has_begun()
        has_begun = all(part.has_begun for part in parts_with(module.loss, HasPhases))
        return is_averaged and has_begun and module.current_epoch >= begins_at(sampler)

    return counts
