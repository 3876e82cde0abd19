"""`python -m animeid.ranks DIR [CHECKPOINT]`: another process of a run on several devices; the run starts it itself."""

from __future__ import annotations

import sys
from pathlib import Path

from animeid.errors import InputError, Interrupted
from animeid.runs.folder import RunFolder
from animeid.system.console import say_error, write_anything
from animeid.system.leave import run
from animeid.training.workers import accompany


def main() -> int:
    write_anything()
    try:
        accompany(RunFolder(Path(sys.argv[1])), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except InputError as error:
        say_error(str(error))
        return 1
    except Interrupted as stop:
        return 128 + stop.signum
    return 0


if __name__ == "__main__":
    run(main)
