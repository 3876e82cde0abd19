"""`python -m animeid.predict`: names pictures with the model of a finished run."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.inference.prediction import predict

    predict(request)


main = command("predict", work)

if __name__ == "__main__":
    sys.exit(main())
