"""`python -m animeid.tune`: searches for good settings of training, ranked by validation."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> float | None:
    from animeid.tuning.command import search

    return search(request)


main = command("tune", work)

if __name__ == "__main__":
    sys.exit(main())
