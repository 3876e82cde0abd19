"""`python -m animeid.train`: trains a model, or one for each fold, judges it, and leaves everything in a folder."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> float | None:
    if request["data"].get("fold") == "all":
        from animeid.training.folds import train_all

        return train_all(request)
    from animeid.training.run import train

    return train(request)


main = command("train", work)

if __name__ == "__main__":
    sys.exit(main())
