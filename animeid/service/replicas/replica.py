"""A replica: the application of one worker, in a process of Ray's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ray import serve
from ray.serve.exceptions import DeploymentUnavailableError

from animeid.service.app import application
from animeid.service.home import Home
from animeid.service.opening import opened
from animeid.service.replicas.gathering import WithoutId, merged
from animeid.service.requests import ServeRequest
from animeid.service.service import Service
from animeid.service.state import State

GATHER_SECONDS = 5.0


@serve.ingress()
class Replica:
    """Answers as a worker does; what workers share lies in a folder of its own.

    Args:
        request: of the user.
        state: the versions that answer, whose folders are there on each machine.
    """

    def __init__(self, request: ServeRequest, state: State) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="animeid-serve-", ignore_cleanup_errors=True)
        self._home = Home(Path(self._folder.name))
        self._home.begin(request, state)
        self._service: Service | None = None

    def __del__(self) -> None:
        """Is called by Ray Serve when it has answered its last request; its process is killed then."""
        self._folder.cleanup()

    def __serve_build_asgi_app__(self) -> WithoutId:
        """Is called by Ray Serve."""
        return WithoutId(application(self._opened))

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
        text = await self._service.counted()
        return serve.get_replica_context().replica_id.unique_id, text.decode()

    def drain(self) -> None:
        """Has it say that it is not ready, and clients not keep their connections."""
        if self._service is not None:
            self._service.draining = True

    def _opened(self) -> Service:
        self._service = opened(self._home)
        self._service.gather = self._gathered
        return self._service

    async def _gathered(self) -> bytes:
        return merged(await self._texts())

    async def _texts(self) -> Mapping[str, str]:
        """What each replica counts, by its name; one that ends meanwhile is missing."""
        here = serve.get_replica_context()
        handle = serve.get_deployment_handle(here.deployment, here.app_name)
        try:
            found = await handle.broadcast("counted").results_async(timeout_s=GATHER_SECONDS, return_exceptions=True)
        except (TimeoutError, DeploymentUnavailableError):  # one is silent: Ray gives the answers of none then
            return dict([await self.counted()])
        return dict(one for one in found if isinstance(one, tuple))
