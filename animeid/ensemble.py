"""`python -m animeid.ensemble`: finished runs answer together."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.inference.at_once import check_ensemble
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.inference.ensembling import ensemble

    ensemble(request)


main = command("ensemble", work, check_ensemble)

if __name__ == "__main__":
    run(main)
