"""`python -m animeid.ranks DIR [CHECKPOINT]`: another process of a run on several devices; the run starts it itself."""

from __future__ import annotations

import sys
from pathlib import Path

from animeid.config.freeze import read_plan
from animeid.engine.processes import own_rank
from animeid.errors import InputError, Interrupted
from animeid.fitting import answer_parts, fit, hand_over
from animeid.folder import RunFolder
from animeid.resume import read_run


def main(folder: RunFolder, checkpoint: Path | None) -> None:
    """Trains and answers beside the first process, which judges and writes."""
    begun = read_run(folder, read_plan(folder.config), checkpoint)
    fit(begun)
    hand_over(folder, answer_parts(begun.built), own_rank())


if __name__ == "__main__":
    try:
        main(RunFolder(Path(sys.argv[1])), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except InputError as error:
        sys.exit(f"animeid: error: {error}")
    except Interrupted as stop:
        sys.exit(128 + stop.signum)
