"""A load generator: clients that wait for their answers, or requests at a rate, over connections of bare protocols."""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from uvicorn.loops.auto import auto_loop_factory

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n")
UNTIL_CLOSED = sys.maxsize
"""The end of an answer that does not say how long it is."""
PATIENCE = 60.0
"""Seconds after which an answer counts as lost."""
REFUSED = "ConnectionRefusedError"


T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Does work in the event loop that uvicorn takes, so that the load takes as little as it can from whom it asks."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(work)


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    status: of HTTP. head: in small letters. body: of the answer. seconds: from its connection to its last byte.
    """

    status: int
    head: bytes
    body: bytes
    seconds: float

    @property
    def closes(self) -> bool:
        return b"connection: close" in self.head


@dataclass
class Found:
    """What came of requests.

    seconds: until the last answer. times: of each answer, by status.
    lost: connections that were closed without an answer, by error. core: what the load itself took of a core.
    """

    seconds: float = 0.0
    times: dict[int, list[float]] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    core: float = 0.0

    def rate(self, status: int = 200) -> float:
        """Answers of a status a second."""
        return len(self.times.get(status, ())) / self.seconds

    def milliseconds(self, share: float, status: int = 200) -> float:
        """The time within which this share of the answers of a status were there."""
        return 1000 * float(np.quantile(self.times[status], share)) if self.times.get(status) else float("nan")

    @property
    def dropped(self) -> int:
        """Requests without an answer; a connection that is refused was never taken."""
        return sum(number for name, number in self.lost.items() if name != REFUSED)


class Connection(asyncio.Protocol):
    """One connection, on which one request after another is asked."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._buffer, self._whole = bytearray(), 0
        self._is_lost = False

    @classmethod
    async def open(cls, port: int) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer.

        Raises:
            EOFError: the connection is closed without one.
        """
        self._buffer, self._whole = bytearray(), 0
        self._answer = asyncio.get_running_loop().create_future()
        if self._is_lost:
            raise EOFError
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._whole:
            if (end := self._buffer.find(HEAD_END)) < 0:
                return
            self._head, self._body = bytes(self._buffer[: end + 2]).lower(), end + len(HEAD_END)
            said = LENGTH.search(self._head)
            self._whole = self._body + int(said[1]) if said else UNTIL_CLOSED
        if len(self._buffer) >= self._whole:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._answer is None or self._answer.done():
            return
        if self._whole == UNTIL_CLOSED and exc is None:
            self._end()
        else:
            self._answer.set_exception(exc or EOFError())

    def _end(self) -> None:
        if self._answer is not None and not self._answer.done():
            status = int(self._head.split(None, 2)[1])
            self._answer.set_result((status, self._head, bytes(self._buffer[self._body : self._whole])))

    def close(self) -> None:
        self._transport.close()


Next = Callable[[], tuple[bytes, Any]]
"""Makes the bytes of a request, and something by which its answer is known again."""


class Load:
    """Asks a service on this machine.

    Args:
        port: of the service.
        next_request: makes each request.
        seen: is told of each answer, with what the request is known by.
    """

    def __init__(self, port: int, next_request: Next, seen: Callable[[Any, Answer], object] | None = None) -> None:
        self._port, self._next, self._seen, self.found = port, next_request, seen, Found()

    async def closed(self, clients: int, seconds: float) -> Found:
        """So many clients, each of which asks again once it is answered."""
        until = time.monotonic() + seconds
        return await self.clients(clients, lambda: time.monotonic() < until)

    async def each(self, clients: int, requests: int) -> Found:
        """So many clients, until so many requests are made."""
        left = iter(range(requests))
        return await self.clients(clients, lambda: next(left, None) is not None)

    async def clients(self, count: int, goes_on: Callable[[], bool]) -> Found:
        """So many clients, each until it need not go on, or is refused a connection."""
        return await self._timed([self._client(goes_on) for _ in range(count)])

    async def open(self, rate: float, seconds: float) -> Found:
        """So many requests a second, on a connection each and at random moments, whatever is answered."""
        moments, began = random.Random(0), time.monotonic()
        work = [self._once(began + moments.uniform(0, seconds)) for _ in range(int(rate * seconds))]
        return await self._timed(work)

    async def _timed(self, work: list[Coroutine[Any, Any, None]]) -> Found:
        began, own = time.monotonic(), time.process_time()
        await asyncio.gather(*work)
        self.found.seconds = time.monotonic() - began
        self.found.core = (time.process_time() - own) / self.found.seconds
        return self.found

    async def _client(self, goes_on: Callable[[], bool]) -> None:
        connection = None
        while goes_on():
            began = time.monotonic()
            try:
                connection = connection or await Connection.open(self._port)
                if await self._ask(connection, began):
                    connection.close()
                    connection = None
            except (OSError, EOFError) as error:
                self._lost(error)
                if isinstance(error, ConnectionRefusedError):
                    return
                connection = None
        if connection is not None:
            connection.close()

    async def _once(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        began = time.monotonic()
        try:
            connection = await Connection.open(self._port)
            await self._ask(connection, began)
            connection.close()
        except (OSError, EOFError) as error:
            self._lost(error)

    async def _ask(self, connection: Connection, began: float) -> bool:
        """Asks the next request; whether the connection is then closed."""
        request, known_by = self._next()
        async with asyncio.timeout(PATIENCE):
            answer = Answer(*await connection.ask(request), time.monotonic() - began)
        self.found.times.setdefault(answer.status, []).append(answer.seconds)
        if self._seen is not None:
            self._seen(known_by, answer)
        return answer.closes

    def _lost(self, error: Exception) -> None:
        self.found.lost[type(error).__name__] += 1
