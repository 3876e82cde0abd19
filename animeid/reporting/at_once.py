"""What a request of a report is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from animeid.runs.folder import RunFolder


def check_report(request: dict[str, Any]) -> None:
    """Raises:
    InputError: there is no such run.
    """
    if request["run"] is not None:
        RunFolder.open(request["run"])
