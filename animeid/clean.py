"""`python -m animeid.clean`: frees what finished runs keep and need no more."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.runs.cleaning import clean

    clean(request)


main = command("clean", work)

if __name__ == "__main__":
    sys.exit(main())
