"""The application: models, addresses and what is around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from animeid import __version__
from animeid.service.replies import handle_problems
from animeid.service.routes import admin, health, models, predict
from animeid.service.service import Service
from animeid.service.watch import Watch

ABOUT = "Names the characters in pictures. Every refusal is a problem detail of RFC 9457."
ROUTERS = (predict.router, models.router, admin.router, health.router, health.counted)


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
        following = [asyncio.create_task(work) for work in (service.models.follow(), service.guard.follow())]
        when_ready()
        try:
            yield
        finally:
            for task in following:
                task.cancel()
            await service.shadow.stop()
            await service.decoders.stop()

    app = FastAPI(title="animeid", version=__version__, description=ABOUT, lifespan=life)
    for router in ROUTERS:
        app.include_router(router)
    handle_problems(app)
    return Watch(app)
