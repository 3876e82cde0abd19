"""A pool of processes that decode, each of which can be killed and is then replaced."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from animeid.artefacts.layout import Input
from animeid.imaging.decode import UnreadableImage
from animeid.service.decoder import ANSWERED, ASKED, GREETING, PIXELS
from animeid.system.console import say_error

CHILD = (sys.executable, "-m", "animeid.service.decoder")
PATIENCE = 6
"""A decoder that has not answered after so many times its seconds of a processor is killed, whatever it waits for."""
AGAIN_SECONDS = 1.0
BUFFER = 2**20
"""Bytes of an answer that are taken before the decoder has to wait: more than most have."""
GONE = "it makes the decoder fail or takes it too long"


@dataclass(eq=False)
class Decoder:
    """A process, and the socket by which it is asked."""

    process: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def start(cls) -> Decoder:
        own, other = socket.socketpair()
        with other:
            process = await asyncio.to_thread(_started, other)
        reader, writer = await asyncio.open_connection(sock=own, limit=BUFFER)
        await reader.readexactly(len(GREETING))
        return cls(process, reader, writer)

    async def ask(self, content: bytes, spec: bytes) -> tuple[bytes, bytes]:
        """A letter and what stands behind it, as `animeid.service.decoder` sends them.

        Raises:
            OSError, EOFError: the process is gone.
        """
        self.writer.writelines((ASKED.pack(len(spec), len(content)), spec, content))
        await self.writer.drain()
        letter, length = ANSWERED.unpack(await self.reader.readexactly(ANSWERED.size))
        return letter, await self.reader.readexactly(length)

    async def kill(self) -> None:
        """Ends the process, and waits until it is gone."""
        self.process.kill()
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()
        await asyncio.to_thread(self.process.wait)


def _started(other: socket.socket) -> subprocess.Popen[bytes]:
    # What libraries print about strangers' files belongs in no log.
    return subprocess.Popen(CHILD, stdin=other.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Decoders:
    """Decodes pictures in processes of its own, as many at a time as it has processes.

    Args:
        count: of processes.
        seconds: of the processor for one picture.
        max_pixels: larger pictures are refused, where an artefact does not refuse smaller ones; None leaves it to them.
        when_killed: is called for each picture that a process was killed for.
    """

    def __init__(
        self, count: int, seconds: float, max_pixels: int | None = None, when_killed: Callable[[], None] = lambda: None
    ) -> None:
        self.count, self.seconds, self.max_pixels, self.when_killed = count, seconds, max_pixels, when_killed
        self._idle: asyncio.Queue[Decoder] = asyncio.Queue()
        self._alive: set[Decoder] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        return [decoder.process.pid for decoder in self._alive]

    async def start(self) -> None:
        await asyncio.gather(*(self._one_more() for _ in range(self.count)))

    async def stop(self) -> None:
        """Ends all processes, whatever they do."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(decoder.kill() for decoder in self._alive))

    async def decode(self, content: bytes, given: Input) -> np.ndarray:
        """A picture as a network sees it: `[H, W, 3]` uint8.

        Args:
            content: of the file.
            given: what the network is given.

        Raises:
            UnreadableImage: it cannot be read, or its decoder died of it.
        """
        most = min(given.max_pixels, self.max_pixels or given.max_pixels)
        spec = {"size": given.size, "crop": given.crop, "incomplete": given.incomplete}
        line = json.dumps({**spec, "max_pixels": most, "seconds": self.seconds}).encode()
        letter, answer = await self._asked(content, line)
        if letter != PIXELS:
            raise UnreadableImage(answer.decode("utf-8", "replace"))
        return np.frombuffer(answer, np.uint8).reshape(*given.size, 3)

    async def _asked(self, content: bytes, line: bytes) -> tuple[bytes, bytes]:
        decoder = await self._living()
        try:
            async with asyncio.timeout(self.seconds * PATIENCE):
                answer = await decoder.ask(content, line)
        except BaseException as error:
            # Whatever it was, half of an answer may be on its way: this process is of no use any more.
            self._keep(self._replace(decoder))
            if isinstance(error, OSError | EOFError):  # a time-out is an OSError too
                self.when_killed()
                raise UnreadableImage(GONE) from error
            raise
        self._idle.put_nowait(decoder)
        return answer

    async def _living(self) -> Decoder:
        """One that is free; a picture is not blamed for one that something else has killed."""
        decoder = await self._idle.get()
        while decoder.process.poll() is not None:
            self._keep(self._replace(decoder))
            decoder = await self._idle.get()
        return decoder

    async def _one_more(self) -> None:
        decoder = await Decoder.start()
        self._alive.add(decoder)
        self._idle.put_nowait(decoder)

    async def _replace(self, decoder: Decoder) -> None:
        self._alive.discard(decoder)
        await decoder.kill()
        while True:
            try:
                await self._one_more()
                return
            except (OSError, EOFError) as error:  # the machine is short of something, as it may not be later
                say_error(f"no decoder can be started ({error}): trying again")
                await asyncio.sleep(AGAIN_SECONDS)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Does work beside the request, which must not be forgotten by the loop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
