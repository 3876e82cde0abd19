"""`python -m animeid.report`: writes the page of a finished run, or lays several runs side by side."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.reporting.at_once import check_report
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.reporting.command import report

    report(request)


main = command("report", work, check_report)

if __name__ == "__main__":
    run(main)
