"""Exit statuses of commands that need no Hydra; `animeid.config.command` has those of the others."""

from __future__ import annotations

from collections.abc import Callable

from animeid.errors import BAD_INPUT, CRASHED, INTERRUPTED, InputError, Interrupted, MachineError
from animeid.system.console import say_error
from animeid.system.faults import in_sentences
from animeid.system.stop import stoppable


def status_of(work: Callable[[], int], way_on: str = "") -> int:
    """Does the work and returns its exit status, or that of what ended it, which is said in one sentence.

    2 is bad input, 1 that the machine cannot go on, 130 that the user interrupted, 128 and a signal's number that it
    came. Anything else that is raised is a bug and passes.

    Args:
        work: the command.
        way_on: what is said after a signal or an interruption that does not tell itself; "" is silent then.
    """
    try:
        with in_sentences(), stoppable():
            return work()
    except Interrupted as stop:
        known = stop.way_on or way_on
        status, told = 128 + stop.signum, known and f"stopped by a signal: {known}"
    except KeyboardInterrupt:
        status, told = INTERRUPTED, way_on and f"interrupted: {way_on}"
    except MachineError as error:
        status, told = CRASHED, str(error)
    except InputError as error:
        status, told = BAD_INPUT, str(error)
    if told:
        say_error(told)
    return status
