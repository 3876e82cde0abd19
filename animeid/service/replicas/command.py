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
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from animeid.errors import InputError, MachineError
from animeid.service.command import address, bound
from animeid.service.replicas.owner import is_of, pass_on
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
HEALTHZ = "/-/healthz"
"""Is answered by Ray's proxies themselves, with 503 where they are about to end."""
RUNNING = "RUNNING"
UNKNOWN = (RayError, RayServeException, TimeoutError)
"""What Ray raises where something cannot be learnt just now."""
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
                if not is_own and _has_lost(owner):
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
        InputError: the address cannot be listened on, or the cluster listens to another.
    """
    if proxies := serve.status().proxies:
        if ray.get_runtime_context().get_node_id() in proxies:  # else one begins here with the first replica
            _check_answers(request, HEALTHZ, (200, 503))
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
    before = pass_on(owner)  # before they begin: a command that ends meanwhile must leave them alone
    try:
        serve.run(deployment.bind(replace(request, engine=AUTO, artefact=None), state), name=APP)
    except RuntimeError as error:
        pass_on(before)
        raise InputError(f"the replicas cannot begin: {error}") from error


def _has_lost(owner: str) -> bool:
    """Whether another command has taken over, and its replicas have begun; False while that cannot be learnt."""
    try:
        found = serve.status().applications.get(APP)
        return found is None or (found.status == RUNNING and not is_of(owner))
    except UNKNOWN:
        return False


def _is_owner(owner: str) -> bool:
    """Whether what answers is of this command; it is looked again for some time while that cannot be learnt."""
    until = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < until:
        try:
            return APP in serve.status().applications and is_of(owner)
        except UNKNOWN:
            time.sleep(TICK)
    return False


def _end(request: ServeRequest) -> None:
    """What answers says for some time that it is not ready, then finishes what it does."""
    try:
        serve.get_app_handle(APP).broadcast("drain").results(timeout_s=ANSWER_SECONDS, return_exceptions=True)
    except UNKNOWN as error:
        say_beside(f"not every replica could be told that it ends ({error}): it ends all the same")
    time.sleep(request.drain_seconds)
    serve.delete(APP)


def _check_answers(request: ServeRequest, path: str = "/health/live", good: tuple[int, ...] = (200,)) -> None:
    """Raises:
    InputError: the cluster answers at another address, which was settled when its first command was given.
    """
    until = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < until:
        connection = HTTPConnection(EVERYWHERE.get(request.host, request.host), request.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            if connection.getresponse().status in good:
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
    # `local`: without an address Ray joins a cluster that somebody else has started on this machine, if there is one.
    own: dict[str, Any] = {"address": "local", "include_dashboard": False} if is_own else {}
    try:
        ray.init(logging_level=logging.ERROR, **own)
    except ConnectionError as error:
        raise MachineError(
            f"{CLUSTER}={os.environ.get(CLUSTER)}: no cluster of Ray is there ({error}): name one that runs, or "
            "leave it out"
        ) from error
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
