"""`python -m animeid.tune`: searches for good settings of training, ranked by validation."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command, own_cards, task_overrides
from animeid.config.schema import TUNE_KEYS
from animeid.system.console import how_to_install


def work(request: dict[str, Any]) -> float | None:
    from animeid.config.compose import compose
    from animeid.errors import InputError

    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a search needs optuna, which cannot be imported ({error}): {how_to_install('tune')}"
        ) from error
    from animeid.tuning.tune import Training, tune

    keys = {item: item.lstrip("+~").partition("=")[0].split(".")[0] for item in task_overrides()}
    arguments = [item.lstrip("+") for item, key in keys.items() if key not in TUNE_KEYS]
    if request["method"] == "grid" and "trials" in keys.values():
        raise InputError("method=grid tries every combination: leave out trials, or name fewer values")
    folders = own_cards()
    options = [f"--config-dir={folder}" for folder in folders]
    return tune(request, Training(arguments, options, lambda root, changes: compose(root, changes, folders)))


main = command("tune", work)

if __name__ == "__main__":
    sys.exit(main())
