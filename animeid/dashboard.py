"""`python -m animeid.dashboard`: makes the W&B workspace that shows and compares runs."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.system.leave import run
from animeid.tracking.at_once import check_dashboard


def work(request: dict[str, Any]) -> None:
    from animeid.tracking.dashboard import dashboard

    dashboard(request)


main = command("dashboard", work, check_dashboard)

if __name__ == "__main__":
    run(main)
