"""`python -m animeid.evaluate`: judges a finished run again, on its own parts or on new labelled pictures."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.inference.evaluation import evaluate

    evaluate(request)


main = command("evaluate", work)

if __name__ == "__main__":
    sys.exit(main())
