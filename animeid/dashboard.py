"""`python -m animeid.dashboard`: makes the W&B workspace that shows and compares runs."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.tracking.dashboard import dashboard

    dashboard(request)


main = command("dashboard", work)

if __name__ == "__main__":
    sys.exit(main())
