"""The train command."""

from __future__ import annotations

from typing import Any

from animeid.config import gateway
from animeid.system.console import say
from animeid.training import folds, run


def train(request: dict[str, Any]) -> float | None:
    """Trains once, or once for each fold.

    Returns:
        The best `f1_macro` of validation, or the mean over the folds; None where there is nothing to rank by.
    """
    if request["effort"]:
        say(gateway.build(request["effort"], "effort").told)
    return folds.train_all(request) if request["data"].get("fold") == "all" else run.train(request)
