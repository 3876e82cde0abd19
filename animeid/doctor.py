"""`python -m animeid.doctor`: says what the machine has, what training will choose, and how a folder looks."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    # First, since what comes after cannot even be imported where the packages do not fit one another.
    from animeid.diagnostics.fitness import check_packages

    todo = check_packages()

    from animeid.diagnostics.examination import examine

    examine(request, todo)


main = command("doctor", work)

if __name__ == "__main__":
    sys.exit(main())
