"""Networks: backbones of timm, heads, taps, second stages.

timm's training helpers import wandb where it is installed, which takes seconds in every run, whatever its logger: it is
hidden from them.
"""

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
