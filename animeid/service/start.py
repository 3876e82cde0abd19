"""The beginning of the service: what it needs is looked for before any of it is imported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from animeid.errors import BAD_INPUT
from animeid.system.console import how_to_install, say_error

NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "httpx2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line (None: that of this process)."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        say_error(f"serving needs {' and '.join(missing)}: {how_to_install('serve')}")
        return BAD_INPUT
    from animeid.service.command import main as serve

    return serve(arguments)
