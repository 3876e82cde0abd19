"""Exceptions that end work early: bad input, a fault of the machine, a signal, another process that failed."""

CRASHED, BAD_INPUT, INTERRUPTED = 1, 2, 130
"""Exit statuses of commands; after a signal it is 128 and the signal's number."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that says what is wrong, where, and what to do; commands print it without a traceback
    and exit with status 2.
    """


class MachineError(Exception):
    """The machine cannot go on: its disk is full, or a process of the work was killed.

    The message is one sentence that says what happened and what to do; commands print it without a traceback and exit
    with status 1: unlike with bad input, the same command may well succeed later.
    """


class Interrupted(BaseException):
    """A signal asked the process to end, and what must be kept is saved.

    Not an Exception, so that nothing on the way takes it for an error; commands exit with status 128 + `signum`.

    way_on: what is kept and how to go on, where that is known.
    """

    def __init__(self, signum: int, way_on: str = "") -> None:
        super().__init__(signum)
        self.signum = signum
        self.way_on = way_on


class PeerFailedError(Exception):
    """Another process of a run on several devices failed, so that this one cannot go on.

    The message is one sentence; commands print it without a traceback and exit with status 1.
    """
