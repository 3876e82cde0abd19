"""uvicorn's server, which stops without dropping a request."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from animeid.service.connection import Connection, connection_class
from animeid.service.listening import CLOSE_NOW, take_last
from animeid.service.service import Service
from animeid.service.watch import Watch

ALONE_SECONDS = 2.0
"""Beyond the time of draining, after which a worker that was stopped alone no longer waits for that."""
NEW_SECONDS = 1.0
"""How long connections that were accepted last are given to send their request."""
TICK = 0.02


class Server(uvicorn.Server):
    """Listens on a socket that others may share, until a signal or the end of its parent.

    Then it says that it is not ready, and asks clients not to keep their connections, until it is told to close; takes
    the connections that wait, stops listening, and finishes what is in flight.

    Args:
        app: what answers.
        service: of the application, with the times of stopping and the connections.
        parent: the number of the process whose end it follows.
    """

    def __init__(self, app: Watch, service: Service, parent: int) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # no line for each damaged request of a stranger
        self._kind = connection_class(service.request.upload_seconds, app, service.crowd)
        request = service.request
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                http=self._kind,
                timeout_graceful_shutdown=max(1, round(request.stop_seconds)),
            )
        )
        self._watch, self._request = app, request
        self._parent = parent
        self._asked_to_stop: float | None = None
        self._is_to_close = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            signal.signal(CLOSE_NOW, self.handle_exit)
            yield
            signal.signal(CLOSE_NOW, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - of a signal handler
        self._is_to_close = self._is_to_close or sig == CLOSE_NOW
        self._begin_to_stop()

    async def on_tick(self, counter: int) -> bool:
        if os.getppid() != self._parent:
            self._begin_to_stop()
        if self._asked_to_stop is not None:
            alone = time.monotonic() - self._asked_to_stop >= self._request.drain_seconds + ALONE_SECONDS
            self.should_exit = self._is_to_close or alone
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        listening = [one.dup() for one in sockets or []]
        for server in self.servers:
            server.close()
        await asyncio.sleep(TICK)  # some loops close a socket a turn later
        loop = asyncio.get_running_loop()
        for connection in [connection for one in listening for connection in take_last(one)]:
            await loop.connect_accepted_socket(self._protocol, connection)
        until = time.monotonic() + NEW_SECONDS
        while time.monotonic() < until and any(map(_is_new, self.server_state.connections)):
            await asyncio.sleep(TICK)
        await super().shutdown(sockets)

    def _begin_to_stop(self) -> None:
        if self._asked_to_stop is None:
            self._asked_to_stop = time.monotonic()
            self._watch.drain()

    def _protocol(self) -> asyncio.Protocol:
        """What uvicorn makes for each connection."""
        return self._kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _is_new(connection: object) -> bool:
    """Whether nothing has been asked by it yet."""
    return isinstance(connection, Connection) and connection.cycle is None
