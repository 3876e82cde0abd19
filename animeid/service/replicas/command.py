"""`engine=ray`: from a checked request to replicas that answer, until a signal."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reads it once; it tells its makers of each use otherwise

import ray
from ray import serve

from animeid.errors import InputError, MachineError
from animeid.service.command import address, bound
from animeid.service.replicas.replica import Replica
from animeid.service.requests import AUTO, ServeRequest
from animeid.service.state import State
from animeid.system.console import say, say_beside
from animeid.system.stop import stoppable

APP = "animeid"
LEVEL = "WARNING"
CLUSTER = "RAY_ADDRESS"
"""The variable that tells Ray of a cluster that runs; without it, one is started here, and ended with the command."""
MOST = 1000
"""Requests of a replica at the same time: more than it has places, so that it refuses those beyond them by itself."""
ROUTING_SECONDS = 2.0
"""What Ray's proxies are given to hear that a replica ends; with less, a request may still be on its way to it."""
LOOK_SECONDS = 5.0
"""How often a command looks whether another has taken over."""
TICK = 0.5
ANSWER_SECONDS = 10.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of a machine, and one by which they are reached."""


def serve_replicas(request: ServeRequest, state: State) -> int:
    """Answers until SIGTERM or SIGINT, or until another command has taken over; the exit status.

    Raises:
        InputError: the address cannot be listened on, or the replicas cannot begin.
    """
    is_own = CLUSTER not in os.environ
    owner = secrets.token_hex(8)
    with _cluster(is_own):
        if is_own:
            _check_room(request)
        request = _listening(request)
        _deploy(request, state, owner)
        _check_answers(request)
        models = ", ".join(f"{alias} (version {version})" for alias, version in state.current.items())
        with _told_to_stop() as stop:
            say(f"{address(request.host, request.port)} answers with {models}")
            while not stop.wait(LOOK_SECONDS):
                if not is_own and not _is_owner(owner):
                    break
        if _is_owner(owner):
            _end(request)
        else:
            say_beside("another command has taken over, or ended, what answered here: it is left as it is")
    return 0


def _check_room(request: ServeRequest) -> None:
    """Raises:
    InputError: the replicas would wait for ever for cores that this machine has not.
    """
    there, needed = int(ray.cluster_resources().get("CPU", 0)), request.replicas * request.replica_cores
    if needed > there:
        raise InputError(
            f"replicas={request.replicas} of replica_cores={request.replica_cores} need {needed} cores and there are "
            f"{there} here: ask for fewer, or name a larger cluster by the variable {CLUSTER}"
        )


def _listening(request: ServeRequest) -> ServeRequest:
    """Has the cluster listen, unless it does; the request with the port that it listens on.

    Raises:
        InputError: the address cannot be listened on.
    """
    if serve.status().proxies:
        return request
    with bound(request.host, request.port) as listening:
        request = replace(request, port=listening.getsockname()[1])
    serve.start(
        proxy_location="EveryNode",
        http_options={"host": request.host, "port": request.port},
        logging_config={"enable_access_log": False, "log_level": LEVEL},
    )
    return request


def _deploy(request: ServeRequest, state: State, owner: str) -> None:
    """Starts the replicas, or has others take their places one after the other, while they answer."""
    deployment = serve.deployment(
        Replica,
        name=APP,
        num_replicas=request.replicas,
        ray_actor_options={"num_cpus": request.replica_cores},
        max_ongoing_requests=MOST,
        graceful_shutdown_wait_loop_s=ROUTING_SECONDS,
        graceful_shutdown_timeout_s=request.stop_seconds,
        logging_config={"enable_access_log": False, "log_level": LEVEL},
    )
    try:
        serve.run(deployment.bind(replace(request, engine=AUTO, artefact=None), state, owner), name=APP)
    except RuntimeError as error:
        raise InputError(f"the replicas cannot begin: {error}") from error


def _is_owner(owner: str) -> bool:
    """Whether some of what answers was put there by this command."""
    if APP not in serve.status().applications:
        return False
    return owner in _broadcast("owned_by")


def _broadcast(method: str) -> list[object]:
    """What all replicas say; one that ends meanwhile says an exception."""
    return serve.get_app_handle(APP).broadcast(method).results(timeout_s=ANSWER_SECONDS, return_exceptions=True)


def _end(request: ServeRequest) -> None:
    """What answers says for some time that it is not ready, then finishes what it does."""
    _broadcast("drain")
    time.sleep(request.drain_seconds)
    serve.delete(APP)


def _check_answers(request: ServeRequest) -> None:
    """Raises:
    InputError: the cluster answers at another address, which was settled when its first command was given.
    """
    until = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < until:
        connection = HTTPConnection(EVERYWHERE.get(request.host, request.host), request.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(TICK)
    raise InputError(
        f"nothing answers at {address(request.host, request.port)}: give the host and port of the command that was the "
        "first to serve on this cluster"
    )


@contextmanager
def _cluster(is_own: bool) -> Iterator[None]:
    """Ray, started here or found.

    Raises:
        MachineError: there is no such cluster.
    """
    logging.getLogger("ray.serve").setLevel(LEVEL)
    own: dict[str, Any] = {"include_dashboard": False} if is_own else {}
    try:
        ray.init(logging_level=logging.ERROR, **own)
    except ConnectionError as error:
        raise MachineError(f"{CLUSTER}={os.environ.get(CLUSTER)}: no cluster of Ray is there ({error})") from error
    try:
        with stoppable():  # again, for Ray has a handler of its own
            yield
    finally:
        if is_own:
            serve.shutdown()
        ray.shutdown()


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Is set by SIGTERM and SIGINT."""
    stop = threading.Event()

    def set_it(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - of a signal handler
        stop.set()

    before = {signum: signal.signal(signum, set_it) for signum in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
