"""What a request of inference is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.data.root import check_root
from animeid.inference.output_rows import ENDINGS
from animeid.runs.folder import RunFolder
from animeid.system.output import check_output


def check_prediction(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run or no such picture, or the output is not free.
    """
    check_output(request["output"], ENDINGS)
    if not Path(request["input"]).is_dir():  # one is walked through only once, later
        from animeid.data.files import find_pictures  # knows what a picture is called, for which numpy is imported

        find_pictures(request["input"])
    RunFolder.open(request["run"])


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
