"""The application: models, addresses and what is around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from fastapi import FastAPI

from animeid import __version__
from animeid.service.replies import handle_problems
from animeid.service.routes import admin, feedback, health, kserve, models, page, predict
from animeid.service.service import Service
from animeid.service.watch import Watch
from animeid.system.console import say_error

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


def beside(service: Service) -> dict[str, Coroutine[None, None, None]]:
    """What is done beside the requests, by what it is called where it fails."""
    found = {
        "following what answers": service.models.follow(),
        "following the file of keys": service.guard.follow(),
        "watching": service.watch(),
    }
    return found if service.logbook is None else {**found, "writing the log": service.logbook.follow()}


def say_why(task: asyncio.Task[None]) -> None:
    """What goes on beside the requests ends by being cancelled; whatever else ended it must not be missed."""
    if not task.cancelled() and (error := task.exception()) is not None:
        say_error(f"{task.get_name()} has ended, and is not begun again: {error!r}")


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
        following = [asyncio.create_task(work, name=name) for name, work in beside(service).items()]
        for task in following:
            task.add_done_callback(say_why)
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
