"""`python -m animeid.compare`: compares runs and artefacts like for like."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.deploy.at_once import check_comparison
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.deploy.compare.command import compare

    compare(request)


main = command("compare", work, check_comparison)

if __name__ == "__main__":
    run(main)
