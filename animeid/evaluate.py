"""`python -m animeid.evaluate`: judges a finished run again, on its own parts or on new labelled pictures."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.inference.at_once import check_evaluation
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.inference.evaluation import evaluate

    evaluate(request)


main = command("evaluate", work, check_evaluation)

if __name__ == "__main__":
    run(main)
