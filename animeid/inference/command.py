"""What `python -m animeid.predict run=DIR` does: the command line that Hydra reads."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.inference.at_once import check_prediction


def work(request: dict[str, Any]) -> None:
    from animeid.inference.prediction import predict

    predict(request)


main = command("predict", work, check_prediction)
