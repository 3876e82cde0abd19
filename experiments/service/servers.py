"""Services that are asked: ours and the peers, each a process of its own that is ended with its block."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from experiments.service.load import Load, run
from experiments.service.pictures import Pictures

START_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """One that answers.

    process: that was started. port: on 127.0.0.1.
    """

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """Numbers of the processes that it has started."""
        pid = self.process.pid
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def service(artefact: Path, *arguments: str) -> list[str]:
    """Our command, with a port to be put in."""
    return ["animeid.serve", f"artefact={artefact}", "port={port}", *arguments]


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> Iterator[Server]:
    """A module with its arguments, once it has answered a picture; `{port}` stands for a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = [sys.executable, "-m", *(part.replace("{port}", str(port)) for part in command)]
    process = subprocess.Popen(module, stdout=subprocess.DEVNULL, env=environment, start_new_session=True)
    try:
        run(_answering(port, process))
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(60)
        with suppress(ProcessLookupError):  # what it leaves behind would take its part of the next round
            os.killpg(process.pid, signal.SIGKILL)


async def _answering(port: int, process: subprocess.Popen[bytes]) -> None:
    until, pictures = time.monotonic() + START_SECONDS, Pictures(0)
    while time.monotonic() < until and process.poll() is None:
        load = Load(port, pictures)
        if (await load.each(1, 1)).times:
            return
        await asyncio.sleep(0.1)
    sys.exit(f"{process.args} does not answer")
