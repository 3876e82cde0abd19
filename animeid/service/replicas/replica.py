"""A replica: the application of one worker, in a process of Ray's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ray import serve

from animeid.service.app import application
from animeid.service.home import Home
from animeid.service.opening import opened
from animeid.service.replicas.gathering import Gathering
from animeid.service.requests import ServeRequest
from animeid.service.routes.health import metrics
from animeid.service.service import Service
from animeid.service.state import State

GATHER_SECONDS = 5.0


@serve.ingress()
class Replica:
    """Answers as a worker does; what workers share lies in a folder of its own.

    Args:
        request: of the user.
        state: the versions that answer, whose folders are there on each machine.
        owner: the command that has put it here.
    """

    def __init__(self, request: ServeRequest, state: State, owner: str) -> None:
        self._owner = owner
        self._folder = tempfile.TemporaryDirectory(prefix="animeid-serve-")
        self._home = Home(Path(self._folder.name))
        self._home.begin(request, state)
        self._service: Service | None = None

    def __serve_build_asgi_app__(self) -> Gathering:
        """Is called by Ray Serve."""
        return Gathering(application(self._opened), self._texts)

    def check_health(self) -> None:
        """Is called by Ray Serve, which replaces a replica that raises here again and again.

        Raises:
            RuntimeError: nothing that decodes is alive.
        """
        if self._service is not None and not self._service.decoders.pids:
            raise RuntimeError("nothing that decodes pictures is alive")

    async def counted(self) -> tuple[str, str]:
        """The name of this replica, and its metrics."""
        assert self._service is not None
        answer = await metrics(self._service)
        return serve.get_replica_context().replica_id.unique_id, bytes(answer.body).decode()

    def owned_by(self) -> str:
        return self._owner

    def drain(self) -> None:
        """Has it say that it is not ready, and clients not keep their connections."""
        if self._service is not None:
            self._service.draining = True

    def _opened(self) -> Service:
        self._service = opened(self._home)
        return self._service

    async def _texts(self) -> Mapping[str, str]:
        here = serve.get_replica_context()
        handle = serve.get_deployment_handle(here.deployment, here.app_name)
        # One that ends meanwhile is missing.
        found = await handle.broadcast("counted").results_async(timeout_s=GATHER_SECONDS, return_exceptions=True)
        return dict(one for one in found if isinstance(one, tuple))
