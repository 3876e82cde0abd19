"""From a plan to a service: artefacts are opened, and how they answer fastest is measured."""

from __future__ import annotations

import fcntl
from dataclasses import asdict
from pathlib import Path

from animeid.artefacts.pace import cores
from animeid.deploy.runtime import Runtime
from animeid.service.admission import Admission
from animeid.service.bodies import AT_ONCE, Bodies, Memory
from animeid.service.cache import Cache
from animeid.service.crowd import Crowd, most_connections, open_files
from animeid.service.decoders import Decoders
from animeid.service.feedback import Feedback
from animeid.service.fetching import Fetcher
from animeid.service.guard import Guard
from animeid.service.home import Home
from animeid.service.keys import Keys
from animeid.service.logbook import Logbook
from animeid.service.metrics import Metrics
from animeid.service.model import Model
from animeid.service.models import Models
from animeid.service.network import Way, quickest, ways
from animeid.service.origins import Origins
from animeid.service.rates import Rates
from animeid.service.registry import Registry
from animeid.service.requests import ServeRequest
from animeid.service.service import MEGABYTE, Service
from animeid.service.shadow import Shadow
from animeid.system.console import say_beside
from animeid.system.files import read_json, write_json


def opened(home: Home) -> Service:
    """What a worker answers by.

    Args:
        home: of the service's processes.

    Raises:
        InputError: an artefact cannot be answered by.
    """
    request = home.request()
    share = max(1, cores() // request.workers)

    def open_model(folder: Path) -> Model:
        runtime = Runtime.load(folder, engine=request.engine)
        return Model.open(runtime, measured(home.way, runtime, share), home.windows)

    models = Models(home.state, home.workers, open_model)
    models.begin()
    return service_of(request, models, home, share)


def service_of(request: ServeRequest, models: Models, home: Home, share: int) -> Service:
    """The means of answering that a request asks for.

    Raises:
        InputError: the file of keys is none.
    """
    metrics = Metrics()
    most = None if request.max_pixels == "auto" else request.max_pixels
    decoders = Decoders(share, request.decode_seconds, most, when_killed=metrics.killed.inc)
    admission = Admission(request.queue)
    memory = Memory(AT_ONCE * int(request.max_upload_mb * MEGABYTE))
    return Service(
        request=request,
        models=models,
        decoders=decoders,
        metrics=metrics,
        admission=admission,
        bodies=Bodies(memory, request.upload_seconds),
        cache=Cache(request.cache, int(request.cache_mb * MEGABYTE), request.cache_minutes * 60, lambda one: one.size),
        shadow=Shadow(decoders, admission, metrics),
        guard=Guard(Keys(Path(request.keys)) if request.keys else None, Rates(home.rates), request.rate),
        registry=Registry(Path(request.registry)) if request.registry else None,
        feedback=Feedback(Path(request.feedback)) if request.feedback else None,
        logbook=Logbook(Path(request.log), int(request.log_mb * MEGABYTE)) if request.log else None,
        fetcher=Fetcher(int(request.max_upload_mb * MEGABYTE), request.upload_seconds) if request.urls else None,
        speaker=home.speaker,
        crowd=Crowd(most_connections(request.connections, open_files())),
        origins=Origins.of(request.host, request.hosts),
    )


def measured(file: Path, runtime: Runtime, share: int) -> Way:
    """The quickest way on so many cores, which the first worker measures; the others wait for it."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file():
            way = quickest(runtime, ways(share))
            write_json(file, asdict(way))
            say_beside(f"measured: pictures are answered fastest by {way.told()}")
        return Way(**read_json(file))
