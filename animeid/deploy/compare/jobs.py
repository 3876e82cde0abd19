"""The jobs of a multirun, compared at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.inference.sorting import check_folder

KEY = "compare"
"""The key of training that names the folder."""


class ComparedJobs:
    """Compares what a multirun has trained, in the folder that `compare=` names; nothing where it names none."""

    def check(self, requests: Sequence[Mapping[str, Any]]) -> None:
        """Raises:
        InputError: the jobs name several folders, or one that is not free.
        """
        folders = list(dict.fromkeys(request[KEY] for request in requests if request[KEY] is not None))
        if len(folders) > 1:
            raise InputError(
                f"{KEY}={','.join(folders)} names {len(folders)} folders, and all jobs are compared in one: name one"
            )
        for folder in folders:
            check_folder(folder, KEY)

    def do(self, request: Mapping[str, Any], folder: Path) -> None:
        """Raises:
        InputError: no job has finished, or their figures may not be compared.
        """
        if request[KEY] is None:
            return
        from animeid.config.compose import compose
        from animeid.deploy.compare.command import compare

        asked = {"models": str(folder), "output": request[KEY], "accelerator": request["trainer"]["accelerator"]}
        compare({**compose("compare", ["models=given", "output=given"]), **asked, "code": request["code"]})
