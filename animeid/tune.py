"""`python -m animeid.tune`: searches for good settings of training, ranked by validation."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.system.leave import run
from animeid.training.at_once import check_sources


def work(request: dict[str, Any]) -> float | None:
    from animeid.tuning.command import search

    return search(request)


main = command("tune", work, check_sources)

if __name__ == "__main__":
    run(main)
