"""`python -m animeid.predict`: names pictures with the model of a finished run, or of an exported artefact."""

from __future__ import annotations

from collections.abc import Sequence

from animeid.deploy.arguments import is_for_artefact
from animeid.system.leave import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line (None: that of this process): for an artefact without torch, Hydra and their kin."""
    if is_for_artefact(arguments):
        from animeid.deploy.predict import main as by_artefact

        return by_artefact(arguments)
    from animeid.inference.command import main as by_run

    return by_run(arguments)


if __name__ == "__main__":
    run(main)
