"""`python -m animeid.train`: trains a model, or one for each fold, judges it, and leaves everything in a folder."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> float | None:
    from animeid.training.command import train

    return train(request)


main = command("train", work)

if __name__ == "__main__":
    sys.exit(main())
