"""`python -m animeid.report`: writes the page of a finished run, or lays several runs side by side."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.reporting.command import report

    report(request)


main = command("report", work)

if __name__ == "__main__":
    sys.exit(main())
