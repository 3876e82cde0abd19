"""What a request of inference is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from animeid.data.root import check_root
from animeid.inference.output_rows import ENDINGS
from animeid.inference.sorting import check_folder, is_folder
from animeid.runs.folder import RunFolder
from animeid.runs.several import run_paths
from animeid.system.output import check_output


def check_prediction(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run or no such picture, or the output is not free.
    """
    if request["output"] is not None and is_folder(request["output"]):
        check_folder(request["output"])
    else:
        check_output(request["output"], ENDINGS)
    from animeid.data.files import check_pictures  # knows what a picture is called, for which numpy is imported

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
