"""A load generator: clients that wait for their answers, or requests at a rate, over bare sockets."""

from __future__ import annotations

import asyncio
import io
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

FILES = 40
SIDE, COARSE = 400, 16
"""Pixels of the pictures, and of the noise that is enlarged to them: so they are as hard to decode as drawings."""
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


@dataclass
class Found:
    """What came of requests.

    seconds: of all of it. times: of each answer, by status. lost: connections that were closed without an answer.
    """

    seconds: float = 0.0
    times: dict[int, list[float]] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)

    def rate(self, status: int = 200) -> float:
        """Answers of a status a second."""
        return len(self.times.get(status, ())) / self.seconds

    def milliseconds(self, share: float, status: int = 200) -> float:
        """The time within which this share of the answers of a status were there."""
        return 1000 * float(np.quantile(self.times[status], share)) if self.times.get(status) else float("nan")


class Pictures:
    """Files that all differ: few pictures, and behind each a number that no decoder reads."""

    def __init__(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self._random, self._files = random.Random(seed), []
        for _ in range(FILES):
            noise = Image.fromarray(generator.integers(0, 256, (COARSE, COARSE, 3), np.uint8))
            stream = io.BytesIO()
            noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
            self._files.append(stream.getvalue())

    def __call__(self) -> bytes:
        return self._random.choice(self._files) + self._random.randbytes(12)


class Load:
    """Asks a service on this machine.

    Args:
        port: of the service.
        body: makes the body of each request.
    """

    def __init__(self, port: int, body: Callable[[], bytes]) -> None:
        self._port, self._body, self.found = port, body, Found()

    async def closed(self, clients: int, seconds: float) -> Found:
        """So many clients, each of which asks again once it is answered."""
        return await self._timed(seconds, [self._client(time.monotonic() + seconds) for _ in range(clients)])

    async def open(self, rate: float, seconds: float) -> Found:
        """So many requests a second, on a connection each, whatever is answered."""
        began = time.monotonic()
        return await self._timed(seconds, [self._once(began + place / rate) for place in range(int(rate * seconds))])

    async def _timed(self, seconds: float, work: list) -> Found:  # type: ignore[type-arg]
        await asyncio.gather(*work)
        self.found.seconds = seconds
        return self.found

    async def _client(self, until: float) -> None:
        streams = None
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", self._port)
                if not await self._ask(*streams, began):
                    streams[1].close()
                    streams = None
            except (OSError, EOFError) as error:
                self.found.lost[type(error).__name__] += 1
                streams = None

    async def _once(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        began = time.monotonic()
        try:
            streams = await asyncio.open_connection("127.0.0.1", self._port)
            await self._ask(*streams, began)
            streams[1].close()
        except (OSError, EOFError) as error:
            self.found.lost[type(error).__name__] += 1

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, began: float) -> bool:
        """Sends a request and reads its answer; whether the connection is kept."""
        body = self._body()
        writer.write(HEAD % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        self.found.times.setdefault(int(head.split()[1]), []).append(time.monotonic() - began)
        return b"connection: close" not in head
