"""What an export or a comparison is refused for at once, before anything heavy is imported."""

from __future__ import annotations

import glob
from importlib.util import find_spec
from typing import Any

from animeid.errors import InputError
from animeid.inference.sorting import check_folder
from animeid.runs.folder import RunFolder
from animeid.runs.several import run_paths
from animeid.system.console import how_to_install


def check_export(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run, the output is not free, or a package is not installed.
    """
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise InputError(f"exporting needs {' and '.join(missing)}: {how_to_install('export')}")
    check_folder(request["output"])
    for path in run_paths(request["run"]):
        RunFolder.open(path)


def check_comparison(request: dict[str, Any]) -> None:
    """Raises:
    InputError: the output is not free, or there is no model or no picture by the patterns.
    """
    check_folder(request["output"])
    pieces = [piece for piece in request["models"].split(":") if piece]
    if not any(glob.glob(piece) for piece in pieces):  # noqa: PTH207
        raise InputError(f"models={request['models']} finds nothing: give a quoted pattern of runs and artefacts")
    if request["input"] is not None:
        from animeid.data.files import check_pictures  # knows what a picture is called, for which numpy is imported

        check_pictures(request["input"])
