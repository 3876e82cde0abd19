"""The tune command: its arguments are those of each trial."""

from __future__ import annotations

from typing import Any

from animeid.config.command import own_cards, task_overrides
from animeid.config.compose import compose
from animeid.errors import InputError
from animeid.system.console import how_to_install

OWN_KEYS = ("space", "method", "trials", "pruning", "output", "test", "run_id", "resume")
"""What a search keeps for itself; everything else is training's."""


def search(request: dict[str, Any]) -> float | None:
    """Searches as `tune` does, with the arguments that the command line gives to training.

    Raises:
        InputError: Optuna is not installed, or the number of trials is given where a grid has it.
    """
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a search needs optuna, which cannot be imported ({error}): {how_to_install('tune')}"
        ) from error
    from animeid.tuning.trials import Training
    from animeid.tuning.tune import tune

    keys = {item: item.lstrip("+~").partition("=")[0].split(".")[0] for item in task_overrides()}
    if request["method"] == "grid" and "trials" in keys.values():
        raise InputError("method=grid tries every combination: leave out trials, or name fewer values")
    arguments = [item.lstrip("+") for item, key in keys.items() if key not in OWN_KEYS]
    folders = own_cards()
    options = [f"--config-dir={folder}" for folder in folders]
    return tune(request, Training(arguments, options, lambda root, changes: compose(root, changes, folders)))
