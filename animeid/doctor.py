"""`python -m animeid.doctor`: says what the machine has, what training will choose, and how a folder looks."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.system.leave import run
from animeid.training.at_once import check_training


def work(request: dict[str, Any]) -> None:
    from animeid.diagnostics.command import diagnose

    diagnose(request)


main = command("doctor", work, check_training)

if __name__ == "__main__":
    run(main)
