"""What an export is refused for at once, before anything heavy is imported."""

from __future__ import annotations

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
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise InputError(f"exporting needs {' and '.join(missing)}: {how_to_install('export')}")
    check_folder(request["output"])
    for path in run_paths(request["run"]):
        RunFolder.open(path)
