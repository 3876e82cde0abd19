"""A model that is asked what another is asked, whose answers nobody gets: they are compared."""

from __future__ import annotations

import asyncio

from animeid.imaging.decode import UnreadableImage
from animeid.service.admission import Admission
from animeid.service.answers import Named
from animeid.service.decoders import Decoders
from animeid.service.metrics import Metrics
from animeid.service.model import Model


class Shadow:
    """Asks in the background, and only where that makes nobody wait.

    Args:
        decoders: that read pictures.
        admission: whose places tell how busy the service is; half of them must be free.
        metrics: that hold the comparison.
    """

    def __init__(self, decoders: Decoders, admission: Admission, metrics: Metrics) -> None:
        self._decoders, self._admission, self._metrics = decoders, admission, metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, model: Model, content: bytes, answered: Named, k: int) -> None:
        """Compares what a model says of a picture with what was answered."""
        if self._admission.taken + len(self._tasks) > self._admission.places // 2:
            self._metrics.shadow.labels(model.version, "left out").inc()
            return
        task = asyncio.create_task(self._compare(model, content, answered, k))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _compare(self, model: Model, content: bytes, answered: Named, k: int) -> None:
        try:
            own = await model.answer(content, self._decoders, k)
        except UnreadableImage:
            self._metrics.shadow.labels(model.version, "unreadable").inc()
            return
        agrees = "agrees" if own.likeliest == answered.likeliest else "differs"
        self._metrics.shadow.labels(model.version, agrees).inc()
        self._metrics.shadow_confidence.labels(model.version).observe(abs(own.confidence - answered.confidence))
