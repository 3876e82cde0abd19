"""The doctor command."""

from __future__ import annotations

from typing import Any

from animeid.diagnostics.fitness import check_packages


def diagnose(request: dict[str, Any]) -> None:
    """Examines the packages, then the machine, the choices and the pictures of a request of training."""
    # First, since what comes after cannot even be imported where the packages do not fit one another.
    todo = check_packages()

    from animeid.diagnostics.examination import examine

    examine(request, todo)
