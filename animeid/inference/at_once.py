"""What a request of inference is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from animeid.data.root import check_root
from animeid.runs.folder import RunFolder
from animeid.runs.several import run_paths


def check_prediction(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run or no such picture, or the output is not free (see `Output.of`).
    """
    from animeid.data.files import check_pictures  # both import numpy
    from animeid.inference.outputs import Output

    Output.of(request)
    check_pictures(request["input"])
    for path in run_paths(request["run"]):
        RunFolder.open(path)


def check_evaluation(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run, or the pictures are not there.
    """
    RunFolder.open(request["run"])
    check_root(request)


def check_ensemble(request: dict[str, Any]) -> None:
    """Raises:
    InputError: the ensemble's folder is there already.
    """
    RunFolder.reserve(request["run_id"])
