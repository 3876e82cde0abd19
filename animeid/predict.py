"""`python -m animeid.predict`: names pictures with the model of a finished run, or of an exported artefact."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from animeid.deploy.arguments import names_artefact
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.inference.prediction import predict

    predict(request)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line: an artefact with neither torch nor Hydra, which need not be installed."""
    given = sys.argv[1:] if arguments is None else arguments
    if names_artefact(given) or find_spec("hydra") is None:
        from animeid.deploy.predict import main as by_artefact

        return by_artefact(given)
    from animeid.config.command import command
    from animeid.inference.at_once import check_prediction

    return command("predict", work, check_prediction)(arguments)


if __name__ == "__main__":
    run(main)
