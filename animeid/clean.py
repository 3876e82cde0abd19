"""`python -m animeid.clean`: frees what finished runs keep and need no more."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.runs.cleaning import clean

    clean(request)


main = command("clean", work)

if __name__ == "__main__":
    run(main)
