"""`python -m animeid.doctor`: says what the machine has, what training will choose, and how a folder looks."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.diagnostics.command import diagnose

    diagnose(request)


main = command("doctor", work)

if __name__ == "__main__":
    sys.exit(main())
