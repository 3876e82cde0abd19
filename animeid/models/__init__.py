"""timm's training helpers import wandb where it is installed: seconds for every run, whatever its logger."""

import sys
from types import ModuleType
from typing import cast

if "wandb" not in sys.modules:
    # None makes an import fail, which timm takes for a missing package.
    sys.modules["wandb"] = cast(ModuleType, None)
    try:
        import timm.utils  # noqa: F401
    finally:
        del sys.modules["wandb"]
