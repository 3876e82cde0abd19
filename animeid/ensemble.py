"""`python -m animeid.ensemble`: finished runs answer together."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.inference.ensembling import ensemble

    ensemble(request)


main = command("ensemble", work)

if __name__ == "__main__":
    sys.exit(main())
