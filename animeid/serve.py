"""`python -m animeid.serve`: names pictures over HTTP with exported artefacts, without torch and Hydra."""

from __future__ import annotations

from collections.abc import Sequence

from animeid.system.leave import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line (None: that of this process)."""
    from animeid.service.command import main as serve

    return serve(arguments)


if __name__ == "__main__":
    run(main)
