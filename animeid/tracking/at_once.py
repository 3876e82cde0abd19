"""What a request of a dashboard is refused for at once, before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from animeid.system.output import check_output


def check_dashboard(request: dict[str, Any]) -> None:
    """Raises:
    InputError: the output is not free.
    """
    check_output(request["output"], (".json",))
