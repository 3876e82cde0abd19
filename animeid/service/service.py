"""What answers: models, decoders, places, kept answers and metrics of one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from animeid.imaging.decode import UnreadableImage
from animeid.service.admission import Admission
from animeid.service.answers import UNKNOWN, Named
from animeid.service.arguments import DEFAULT
from animeid.service.bodies import Bodies, in_time
from animeid.service.cache import Cache, Shared
from animeid.service.crowd import Crowd
from animeid.service.decoders import Decoders
from animeid.service.drift import ALARM
from animeid.service.feedback import Feedback
from animeid.service.fetching import Fetcher
from animeid.service.guard import Guard
from animeid.service.logbook import Logbook
from animeid.service.metrics import Metrics
from animeid.service.model import Model
from animeid.service.models import Models
from animeid.service.origins import Origins
from animeid.service.problems import Problem
from animeid.service.registry import Registry
from animeid.service.requests import ServeRequest
from animeid.service.shadow import Shadow
from animeid.service.turn import Turn
from animeid.system.console import say_beside

MEGABYTE = 2**20
WATCH_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """What came of a picture: names, or why there are none.

    named: None where it cannot be read.
    reason: why not, or "".
    digest: SHA-256 of the picture's bytes.
    source: `network`, `cache`, or `shared` with another request.
    """

    named: Named | None
    reason: str
    digest: str
    source: str


@dataclass
class Service:
    """One worker's means of answering."""

    request: ServeRequest
    models: Models
    decoders: Decoders
    metrics: Metrics
    admission: Admission
    bodies: Bodies
    cache: Cache[Named]
    shadow: Shadow
    guard: Guard
    registry: Registry | None
    feedback: Feedback | None
    logbook: Logbook | None
    fetcher: Fetcher | None
    speaker: Path
    crowd: Crowd
    origins: Origins
    gather: Callable[[], Awaitable[bytes]] | None = None
    """The metrics of all replicas; None where those of this process are all."""
    shared: Shared[Named] = field(default_factory=Shared)
    draining: bool = False

    @property
    def upload_bytes(self) -> int:
        """The largest picture that is taken."""
        return int(self.request.max_upload_mb * MEGABYTE)

    async def outcomes(self, pictures: Sequence[bytes], model: Model, k: int) -> list[Outcome]:
        """What comes of some pictures, in their order.

        Raises:
            Problem: there is no place for all of them, or the answer is not there in time.
        """
        digests = [await in_time(content, digest_of) for content in pictures]
        keys = [(digest, model.version, k) for digest in digests]
        # From here to the last `_begin` nothing waits, so that no other request takes the places.
        new = {key for key in keys if self.cache.get(key) is None and key not in self.shared}
        self.admission.check(len(new))
        begun = [_outcome(*self._begin(*pair, model, k), pair[1][0]) for pair in zip(pictures, keys, strict=True)]
        try:
            async with asyncio.timeout(self.request.deadline_seconds):
                found = await asyncio.gather(*begun)
        except TimeoutError as error:
            seconds = self.request.deadline_seconds
            raise Problem(504, f"there was no answer within {seconds:g} seconds: try again later") from error
        for outcome in found:
            self._count(outcome, model)
        return found

    def is_unknown(self, named: Named) -> bool:
        """Whether the likeliest name is too unlikely to be said."""
        return named.confidence < self.request.unknown_below

    def character(self, named: Named) -> str:
        return UNKNOWN if self.is_unknown(named) else named.likeliest

    def _begin(self, content: bytes, key: tuple[str, str, int], model: Model, k: int) -> tuple[str, Awaitable[Named]]:
        if (kept := self.cache.get(key)) is not None:
            at_once: asyncio.Future[Named] = asyncio.get_running_loop().create_future()
            at_once.set_result(kept)
            return "cache", at_once
        if key in self.shared:
            return "shared", self.shared.join(key)
        self.admission.take()
        return "network", self.shared.begin(key, self._answer(content, key, model, k))

    async def _answer(self, content: bytes, key: tuple[str, str, int], model: Model, k: int) -> Named:
        try:
            named = await model.answer(content, self.decoders, k)
        finally:
            self.admission.give_back()
        self.cache.put(key, named)
        shadow = self.models.shadow
        if shadow is not None and model.version == self.models.aliases.get(DEFAULT):
            self.shadow.ask(shadow, content, named, k)
        return named

    def _count(self, outcome: Outcome, model: Model) -> None:
        named, version = outcome.named, model.version
        if named is None:
            self.metrics.unreadable.inc()
            return
        self.metrics.pictures.labels(version, outcome.source).inc()
        self.metrics.characters.labels(version, named.likeliest).inc()
        self.metrics.confidence.labels(version).observe(named.confidence)
        if model.drift is not None:
            model.drift.see(named.confidence, named.target, named.distance)
        if self.is_unknown(named):
            self.metrics.unknown.labels(version).inc()

    def measure(self) -> None:
        """Writes down what is measured when it is asked for."""
        self.metrics.queue.set(self.admission.taken)
        self.metrics.connections.set(len(self.crowd))
        self.metrics.cache.set(len(self.cache))
        self.metrics.cache_bytes.set(self.cache.used)

    async def counted(self) -> bytes:
        """The metrics of all workers, in Prometheus' format."""
        self.measure()
        return await asyncio.to_thread(self.metrics.text, self.drifts())

    def drifts(self) -> dict[str, dict[str, float]]:
        """How far the answers of each version are from those to judged pictures (see `Drift.measured`)."""
        return {version: model.drift.measured() for version, model in self.models.versions.items() if model.drift}

    def alarms(self) -> list[str]:
        """What somebody should look at."""
        return self.own_alarms() + self.common_alarms()

    def own_alarms(self) -> list[str]:
        """Of this worker."""
        alive, count = len(self.decoders.pids), self.decoders.count
        return [f"decoders: {alive} of {count} are alive"] if alive < count else []

    def common_alarms(self) -> list[str]:
        """Of all workers together: each says the same."""
        return [
            f"{what} of version {version} has drifted: its population stability index is {index:.2f}, above {ALARM}; "
            "look at the pictures that come"
            for version, found in self.drifts().items()
            for what, index in found.items()
            if index > ALARM
        ]

    async def watch(self) -> None:
        """Says each alarm once, and keeps gauges fresh that another worker is asked for, until it is cancelled.

        One worker says what is common to all; when it dies, another does.
        """
        said: set[str] = set()
        with Turn(self.speaker) as turn:
            while True:
                await asyncio.sleep(WATCH_SECONDS)
                self.measure()
                alarms = self.own_alarms() + (self.common_alarms() if turn.is_mine() else [])
                now = {alarm.partition(":")[0]: alarm for alarm in alarms}
                for kind in now.keys() - said:
                    say_beside(f"alarm: {now[kind]}")
                said = set(now)


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


async def _outcome(source: str, work: Awaitable[Named], digest: str) -> Outcome:
    try:
        return Outcome(await work, "", digest, source)
    except UnreadableImage as error:
        return Outcome(None, str(error), digest, source)
