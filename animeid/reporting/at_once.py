"""What a request of a report is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from animeid.runs.folder import RunFolder
from animeid.system.output import check_output

ENDINGS = (".html",)


def check_report(request: dict[str, Any]) -> None:
    """Raises:
    InputError: the output is not free, or there is no such run.
    """
    check_output(request["output"], ENDINGS)
    if request["run"] is not None:
        RunFolder.open(request["run"])
