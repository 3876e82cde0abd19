"""`python -m animeid.train`: trains a model, or one for each fold, judges it, and leaves everything in a folder."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.deploy.compare.jobs import ComparedJobs
from animeid.system.leave import run
from animeid.training.at_once import check_training


def work(request: dict[str, Any]) -> float | None:
    from animeid.training.command import train

    return train(request)


main = command("train", work, check_training, ComparedJobs())

if __name__ == "__main__":
    run(main)
