"""Parts of a loss that change while it trains, and the epochs that may be its best."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import nn

from animeid.types import Loss, Sampler

if TYPE_CHECKING:
    from animeid.engine.module import CharacterModule


def parts_with(loss: Loss, name: str) -> list[Any]:
    """The loss and the losses within it that have this attribute, the outermost first."""
    parts = loss.modules() if isinstance(loss, nn.Module) else [loss]
    return [part for part in parts if hasattr(part, name)]


def epochs_that_count(module: CharacterModule, sampler: Sampler) -> Callable[[], bool]:
    """Tells whether the epoch that ends may be the best one.

    Where weights are averaged, or loss or sampler change once training is far enough, those before are the way to it:
    a better figure of theirs would be that of another technique than the one asked for.
    """

    def counts() -> bool:
        is_averaged = module.averager is None or module.averager.has_begun()
        has_begun = all(part.has_begun for part in parts_with(module.loss, "has_begun"))
        return is_averaged and has_begun and module.current_epoch >= getattr(sampler, "begins_at", 0)

    return counts
