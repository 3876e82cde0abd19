"""Bodies of requests, read as far as they may go and no further."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from animeid.service.problems import Problem

FORM_BYTES = 65_536
"""What a multipart body may hold besides its pictures: boundaries and headers."""
LARGE = 2**20
AT_ONCE = 16
"""So many bodies of the greatest size are held in memory at the same time, at most."""


T = TypeVar("T")


async def in_time(content: bytes, work: Callable[[bytes], T]) -> T:
    """Does something with bytes: in a thread where there are so many that other requests would wait."""
    return work(content) if len(content) <= LARGE else await asyncio.to_thread(work, content)


@dataclass
class Memory:
    """Bytes of bodies that are being read or answered, of all requests together."""

    limit: int
    used: int = 0

    @contextmanager
    def taken(self) -> Iterator[Share]:
        """What one request holds until the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.used -= share.size


@dataclass
class Share:
    """One request's part of the memory."""

    memory: Memory
    size: int = 0

    def add(self, size: int) -> None:
        """Raises:
        Problem: the memory is full.
        """
        # A quarter is for small bodies alone, so that a few large ones that stall do not lock out everybody else.
        limit = self.memory.limit if self.size + size <= LARGE else self.memory.limit * 3 // 4
        if self.memory.used + size > limit:
            raise Problem(503, "too many uploads at once: try again later", retry_after=1)
        self.memory.used += size
        self.size += size


@dataclass(frozen=True)
class Bodies:
    """Reads bodies.

    memory: for all of them.
    seconds: within which a body must be there.
    """

    memory: Memory
    seconds: float

    @asynccontextmanager
    async def body(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """The body of a request, whose memory is given back when the block ends.

        Args:
            limit: bytes; a body that says it is larger is refused before any of it is read, and one that is larger
                without saying so as soon as it is.

        Raises:
            Problem: it is too large, too slow, its length is no number, or the memory is full.
        """
        said = request.headers.get("content-length")
        if said is not None and not (said.isascii() and said.isdigit()):
            raise Problem(400, "Content-Length is no number")
        if said is not None and int(said) > limit:
            raise too_large(limit)
        with self.memory.taken() as share:
            try:
                async with asyncio.timeout(self.seconds):
                    content = await _read(request, limit, share)
            except TimeoutError as error:
                raise Problem(408, f"the body was not there within {self.seconds:g} seconds") from error
            except ClientDisconnect as error:
                raise Problem(400, "the client left before its request was whole") from error
            yield content


async def _read(request: Request, limit: int, share: Share) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        if len(content) + len(chunk) > limit:
            raise too_large(limit)
        share.add(len(chunk))
        content += chunk
    return bytes(content)


def too_large(limit: int) -> Problem:
    return Problem(413, f"more than {limit:,} bytes: make the picture smaller")
