"""`python -m animeid.service.worker HOME SOCKET`: a process that answers; the supervisor starts it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from pathlib import Path

from animeid.errors import BAD_INPUT, InputError
from animeid.service.home import Home
from animeid.system.console import say_error


def main(home: Home, listening: socket.socket) -> int:
    """Answers until a signal; the exit status is that of a command."""
    # Imported once the metrics know their folder.
    from animeid.service.app import application
    from animeid.service.opening import opened
    from animeid.service.server import Server

    parent = os.getppid()  # before models are loaded, which takes a while
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection is a file, and slow clients keep many
    try:
        service = opened(home)
    except InputError as error:
        say_error(str(error))
        return BAD_INPUT
    app = application(lambda: service, lambda: (home.answering / str(os.getpid())).touch())
    Server(app, service, parent).run([listening])
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the server listens to it: a terminal sends it to all
    given = Home(Path(sys.argv[1]))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(given.metrics)
    sys.exit(main(given, socket.socket(fileno=int(sys.argv[2]))))
