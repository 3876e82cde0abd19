"""The train command."""

from __future__ import annotations

from typing import Any

from animeid.config import gateway
from animeid.system.console import say
from animeid.training import best, folds, run


def train(request: dict[str, Any]) -> float | None:
    """Trains once, once for each fold, or several times with the mean of all kept.

    Returns:
        The best `f1_macro` of validation, or the mean over the folds; None where there is nothing to rank by.
    """
    if request["effort"]:
        effort = gateway.build(request["effort"], "effort")
        say(effort.told)
        if effort.runs > 1:
            return best.train_best(request, effort.runs)
    return folds.train_all(request) if request["data"].get("fold") == "all" else run.train(request)
