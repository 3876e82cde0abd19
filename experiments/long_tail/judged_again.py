"""Judges the test part of a finished run in another way.

`python -m experiments.long_tail.judged_again RUN NAME ARGUMENTS`; answers lie in `outputs/RUN/evaluations/NAME` then.
"""

from __future__ import annotations

import sys

from animeid.evaluate import main as evaluate
from animeid.system.lock import lock
from experiments.runs import OUTPUTS, write_origin


def main() -> int:
    run, name, *arguments = sys.argv[1:]
    home = OUTPUTS / run / "evaluations"
    # Several rows judge the same run, and the pool does two at a time.
    with lock(OUTPUTS / run / ".judged_again", run, waits=True):
        before = set(home.glob("*"))
        status = evaluate([f"run={OUTPUTS / run}", "split=test", *arguments])
        if status == 0:
            (made,) = set(home.glob("*")) - before
            write_origin(made)
            made.rename(home / name)
    return status


if __name__ == "__main__":
    sys.exit(main())
