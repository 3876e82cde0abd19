"""`python -m animeid.predict`: names pictures with the model of a finished run."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.inference.at_once import check_prediction
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.inference.prediction import predict

    predict(request)


main = command("predict", work, check_prediction)

if __name__ == "__main__":
    run(main)
