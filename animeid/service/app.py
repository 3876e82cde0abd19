"""The application: models, addresses and what is around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from animeid import __version__
from animeid.service.replies import handle_problems
from animeid.service.routes import admin, feedback, health, kserve, models, page, predict
from animeid.service.service import Service
from animeid.service.watch import Watch

ABOUT = "Names the characters in pictures. Every refusal is a problem detail of RFC 9457."
ROUTERS = (
    predict.router,
    models.router,
    feedback.router,
    admin.router,
    health.router,
    health.counted,
    kserve.health,
    kserve.router,
    page.router,
)


def beside(service: Service) -> Iterator[Coroutine[None, None, None]]:
    """What is done beside the requests."""
    yield service.models.follow()
    yield service.guard.follow()
    yield service.watch()
    if service.logbook is not None:
        yield service.logbook.follow()


def application(start: Callable[[], Service], when_ready: Callable[[], object] = lambda: None) -> Watch:
    """The application of one worker.

    Args:
        start: makes what answers, when the application begins.
        when_ready: is called once it can answer.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = start()
        await service.decoders.start()
        following = [asyncio.create_task(work) for work in beside(service)]
        when_ready()
        try:
            yield
        finally:
            for task in following:
                task.cancel()
            await service.shadow.stop()
            if service.logbook is not None:
                await service.logbook.write()
            await service.decoders.stop()

    app = FastAPI(title="animeid", version=__version__, description=ABOUT, lifespan=life, docs_url=None, redoc_url=None)
    for router in ROUTERS:
        app.include_router(router)
    handle_problems(app)
    return Watch(app)
