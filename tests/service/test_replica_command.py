"""`engine=ray`, with a Ray in whose place a test answers: whose cluster it is, and whose what answers."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from animeid.errors import InputError
from animeid.service.requests import ServeRequest
from animeid.service.state import State

HERE = "this node"
REPLICAS = "animeid.service.replicas"


class RayError(Exception):
    pass


class RayServeException(Exception):
    pass


class DeploymentUnavailableError(RayServeException):
    pass


@dataclass
class Cluster:
    """What commands see of Ray.

    kept: what the cluster keeps by key.
    apps: the state of each application, or what is raised in its place.
    proxies: by node.
    failing: how many of the next looks fail.
    begins: raises where replicas cannot begin.
    said: what replicas say when all are asked, or what is raised.
    calls: what was done.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    apps: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, str] = field(default_factory=dict)
    failing: int = 0
    begins: Exception | None = None
    said: list[object] | Exception = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def status(self) -> SimpleNamespace:
        if self.failing:
            self.failing -= 1
            raise RayError("the controller does not answer")
        apps = {name: SimpleNamespace(status=status) for name, status in self.apps.items()}
        return SimpleNamespace(applications=apps, proxies=self.proxies)

    def run(self, bound: object, name: str) -> None:
        if self.begins is not None:
            raise self.begins
        self.apps[name] = "RUNNING"
        self.calls.append(("run", bound))

    def delete(self, name: str) -> None:
        del self.apps[name]
        self.calls.append(("delete", name))

    def results(self, **_: object) -> list[object]:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    async def results_async(self, **_: object) -> list[object]:
        await asyncio.sleep(0)
        return self.results()

    def broadcast(self, method: str) -> Cluster:
        self.calls.append(("broadcast", method))
        return self

    def put(self, key: str, value: str, **_: object) -> None:
        self.kept[key] = value.encode()

    def modules(self) -> dict[str, dict[str, Any]]:
        handle = SimpleNamespace(broadcast=self.broadcast)
        here = SimpleNamespace(deployment="d", app_name="a", replica_id=SimpleNamespace(unique_id="own"))
        serve = {
            "ingress": lambda: lambda kind: kind,
            "status": self.status,
            "run": self.run,
            "delete": self.delete,
            "start": lambda **_: self.calls.append(("start", None)),
            "shutdown": lambda: self.calls.append(("shutdown", None)),
            "deployment": lambda *_, **__: SimpleNamespace(bind=lambda *given: given),
            "get_app_handle": lambda name: handle,
            "get_deployment_handle": lambda *_: handle,
            "get_replica_context": lambda: here,
        }
        return {
            "ray": {
                "init": lambda **given: self.calls.append(("init", given)),
                "shutdown": lambda: None,
                "get_runtime_context": lambda: SimpleNamespace(get_node_id=lambda: HERE),
            },
            "ray.serve": serve,
            "ray.serve.exceptions": {
                "RayServeException": RayServeException,
                "DeploymentUnavailableError": DeploymentUnavailableError,
            },
            "ray.exceptions": {"RayError": RayError},
            "ray.experimental": {},
            "ray.experimental.internal_kv": {
                "_internal_kv_get": lambda key, **_: self.kept.get(key),
                "_internal_kv_put": self.put,
            },
        }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    made = {name: ModuleType(name) for name in found.modules()}
    for name, content in found.modules().items():
        vars(made[name]).update(content)
        monkeypatch.setitem(sys.modules, name, made[name])
        above, _, last = name.rpartition(".")
        if above:
            setattr(made[above], last, made[name])
    for name in ("command", "owner", "replica"):
        monkeypatch.delitem(sys.modules, f"{REPLICAS}.{name}", raising=False)
    command = import_module(f"{REPLICAS}.command")
    for name, seconds in {"LOOK_SECONDS": 0.01, "TICK": 0.01, "ANSWER_SECONDS": 0.3}.items():
        monkeypatch.setattr(command, name, seconds)
    return found


def command() -> Any:
    return sys.modules[f"{REPLICAS}.command"]


def owner() -> Any:
    return sys.modules[f"{REPLICAS}.owner"]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of what answers everything with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_cluster_that_others_started_here_is_not_joined_unasked(cluster: Cluster) -> None:
    with command()._cluster(is_own=True):
        pass
    [given, *rest] = [given for name, given in cluster.calls if name == "init"]
    assert given["address"] == "local" and not rest
    assert ("shutdown", None) in cluster.calls
    cluster.calls.clear()
    with command()._cluster(is_own=False):
        pass
    assert "address" not in cluster.calls[0][1], "the variable names it"
    assert ("shutdown", None) not in cluster.calls


def test_whose_the_service_is_is_settled_before_the_first_replica_changes(cluster: Cluster) -> None:
    request, state = ServeRequest(artefact="a"), State()
    command()._deploy(request, state, "first")
    assert command()._is_owner("first") and not command()._has_lost("first")
    owner().pass_on("second")
    cluster.apps["animeid"] = "DEPLOYING"  # replicas of both answer
    assert not command()._is_owner("first"), "a signal to the first must not end what the second has begun"
    assert not command()._has_lost("first"), "and yet the second may fail"
    cluster.apps["animeid"] = "RUNNING"
    assert command()._has_lost("first") and command()._is_owner("second")
    cluster.apps.clear()
    assert command()._has_lost("second"), "somebody has ended it"


def test_a_command_whose_replicas_cannot_begin_leaves_the_owner(cluster: Cluster) -> None:
    request, state = ServeRequest(artefact="a"), State()
    command()._deploy(request, state, "first")
    cluster.begins = RuntimeError("no")
    with pytest.raises(InputError, match="the replicas cannot begin: no"):
        command()._deploy(request, state, "second")
    assert command()._is_owner("first")


def test_what_cannot_be_learnt_just_now_is_looked_at_again(cluster: Cluster) -> None:
    command()._deploy(ServeRequest(artefact="a"), State(), "mine")
    cluster.failing = 1
    assert not command()._has_lost("mine")
    cluster.failing = 3
    assert command()._is_owner("mine")
    cluster.failing = 10**6
    assert not command()._is_owner("mine"), "what may be another's is left as it is"


@pytest.mark.parametrize("error", [DeploymentUnavailableError(), TimeoutError(), RayError(), None])
def test_replicas_that_cannot_be_told_are_ended_all_the_same(cluster: Cluster, error: Exception | None) -> None:
    cluster.apps["animeid"] = "RUNNING"
    cluster.said = error or [None]
    command()._end(ServeRequest(artefact="a", drain_seconds=0))
    assert cluster.calls == [("broadcast", "drain"), ("delete", "animeid")]


@pytest.mark.parametrize(("status", "is_there"), [(200, True), (503, True), (404, False), (None, False)])
def test_another_address_than_the_clusters_is_seen_before_anything_changes(
    cluster: Cluster, status: int | None, is_there: bool
) -> None:
    cluster.proxies = {HERE: "HEALTHY"}
    with answering(status or 200) as port:
        request = ServeRequest(artefact="a", port=port if status else 9)
        if is_there:
            assert command()._listening(request) == request
            return
        began = time.monotonic()
        with pytest.raises(InputError, match="give the host and port of the command that was the first"):
            command()._listening(request)
        assert time.monotonic() - began < 30
    assert cluster.calls == []


def test_a_machine_without_a_proxy_gets_one_with_its_first_replica(cluster: Cluster) -> None:
    cluster.proxies = {"another": "HEALTHY"}
    request = ServeRequest(artefact="a", port=9)
    assert command()._listening(request) == request and cluster.calls == []


class Own:
    """A service that counts."""

    async def counted(self) -> bytes:
        await asyncio.sleep(0)
        return b"own text"


def replica() -> Any:
    found = sys.modules[f"{REPLICAS}.replica"].Replica(ServeRequest(artefact="a"), State())
    found._service = Own()
    return found


def test_a_silent_replica_costs_the_metrics_of_the_others_and_no_more(cluster: Cluster) -> None:
    own = replica()
    cluster.said = [("own", "own text"), ("other", "its text"), RayError("it ends")]
    assert asyncio.run(own._texts()) == {"own": "own text", "other": "its text"}
    for error in (TimeoutError(), DeploymentUnavailableError()):
        cluster.said = error
        assert asyncio.run(own._texts()) == {"own": "own text"}


def test_a_replica_that_ray_ends_leaves_no_folder(cluster: Cluster) -> None:
    own = replica()
    folder = own._home.folder
    assert folder.is_dir()
    own.__del__()  # as Ray calls it
    assert not folder.exists()
