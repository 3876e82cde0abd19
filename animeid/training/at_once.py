"""What a request of training is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.artefacts.config_file import is_artefact, read_config
from animeid.artefacts.teacher_folders import teacher_folders
from animeid.data.root import check_root
from animeid.errors import InputError
from animeid.runs.folder import OUTPUTS, RunFolder


def check_training(request: dict[str, Any]) -> None:
    """Raises:
    InputError: something that training would read is not there, or the run's folder is, or a process is at work on it;
        that of several runs may be there.
    """
    check_sources(request)
    if request["data"].get("refit") is True and request["data"].get("fold") == "all":
        raise InputError(
            "data.refit=true trains one more model after one that was judged, and data.fold=all a run for each fold: "
            "give one fold, such as data.fold=0, or leave out data.refit"
        )
    if request["data"].get("fold") == "all" or (request.get("effort") or {}).get("runs", 1) > 1:
        return
    if request["resume"] == "never":
        RunFolder.reserve(request["run_id"])
    elif request["run_id"] is not None:
        RunFolder(OUTPUTS / request["run_id"]).refuse_held()


def check_sources(request: dict[str, Any]) -> None:
    """Raises:
    InputError: the pictures, an earlier run, a teacher or a file of weights are not there, or a single run is to be
        compared.
    """
    if request.get("compare") is not None:
        raise InputError(
            f"compare={request['compare']} compares the jobs of a multirun at its end: add -m and what they differ in, "
            "such as model=resnet18,mobilenetv2, or leave it out"
        )
    check_root(request)
    if request["from_run"] is not None:
        RunFolder.open(request["from_run"])
    for path in teacher_folders(request.get("teacher")):
        if is_artefact(path):
            read_config(path)  # all of its files are read later
        else:
            RunFolder.open(path)
    weights = request["model"].get("weights")
    if weights is not None and not Path(weights).is_file():
        raise InputError(f"there is no weights file {weights}: check model.weights")
