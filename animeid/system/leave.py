"""The end of a command's process: everything is closed in order, and then it leaves at once.

What Python does after that, taking down thousands of modules of torch and its kin one by one, takes seconds and changes
nothing that lasts.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from animeid.system.console import say_error
from animeid.system.streams import is_reader_gone, let_go, open_missing

FLUSH_FAILED = 1


def run(main: Callable[[], int]) -> NoReturn:
    """Does a command and ends the process with its exit status."""
    open_missing()
    # Charts go to files. What a notebook chose for its own, and hands on to what it starts, need not be installed here,
    # and matplotlib then refuses to be imported.
    os.environ["MPLBACKEND"] = "agg"
    try:
        status = main()
    except SystemExit as left:  # by Hydra, after a help page
        if not isinstance(left.code, int | None):
            raise
        status = left.code or 0
    leave(status)


def leave(status: int) -> NoReturn:
    """Ends the process with this exit status; raises SystemExit instead where the process is not the command's own.

    In the order of Python's own end: threads are waited for, whatever is registered with `atexit` is called (loggers,
    trackers, loader workers, temporary folders), and the streams are flushed. A result that cannot be flushed, as on a
    full disk, makes a failure of a success; that nobody reads it does not.
    """
    if not is_own_process(sys._getframe(1)):
        sys.exit(status)
    gc.collect()  # what only cycles hold, such as a trainer's loaders, ends its workers and closes its files
    # Python itself calls these, in this order, and has no public names for them.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    os._exit(_flushed(status))


def is_own_process(frame: FrameType | None) -> bool:
    """Whether nothing but Python itself and the command is at work below `frame`: no debugger, profiler, notebook.

    Whoever called the command from code of their own wants to go on after it, or to see how it ended.
    """
    if sys.flags.interactive or os.environ.get("PYTHONINSPECT") or sys.gettrace() or sys.getprofile():
        return False
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name not in ("__main__", "runpy") and not name.startswith("animeid."):
            return False
        frame = frame.f_back
    return True


def _flushed(status: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as error:
            if is_reader_gone(error):
                let_go(stream)
            elif status == 0:
                status = FLUSH_FAILED
                say_error(f"the last of the output could not be written ({error.strerror})")
    return status
