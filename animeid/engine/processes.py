"""The processes of a run on several devices: without a launcher this one starts and ends the others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import distributed

from animeid.errors import PeerFailedError
from animeid.system.launcher import ProcessRank, own_rank

LEAVE_S = 10.0
"""Seconds that the others get to end by themselves when the first one fails."""


@contextmanager
def processes(number: int, command: Sequence[str]) -> Iterator[None]:
    """Runs `command` in `number - 1` more processes, which find one another as torch's `torchrun` has it.

    Where a launcher started them all, this does nothing. Leaving waits for them; after an error they are ended.

    Raises:
        PeerFailedError: one of them failed.
    """
    if number == 1 or own_rank().size > 1:
        yield
        return
    threads = torch.get_num_threads()
    share = max(1, threads // number)
    address = ("127.0.0.1", free_port())
    places = [ProcessRank(rank, rank, number, number, address=address) for rank in range(number)]
    others: list[subprocess.Popen[bytes]] = []
    try:
        for place in places[1:]:
            environment = os.environ | place.environment() | {"OMP_NUM_THREADS": str(share)}
            others.append(subprocess.Popen([sys.executable, *command], env=environment, stdout=subprocess.DEVNULL))
        os.environ.update(places[0].environment())
        # Threads of several processes on the same cores spin against one another.
        torch.set_num_threads(share)
        with _blaming(others):
            yield
            if any(other.wait() for other in others):
                raise PeerFailedError("another process of this run failed; its message stands above")
    finally:
        _end(others)
        for name in places[0].environment():
            os.environ.pop(name, None)
        torch.set_num_threads(threads)
        if distributed.is_initialized():
            distributed.destroy_process_group()


def meet() -> None:
    """Waits until all processes are here."""
    if distributed.is_initialized():
        distributed.barrier()


def is_lost_connection(error: BaseException) -> bool:
    """Whether an exception says that another process could not be reached."""
    told = str(error).lower()
    return isinstance(error, distributed.DistError) or (
        isinstance(error, RuntimeError) and any(word in told for word in ("gloo", "nccl", "by peer"))
    )


@contextmanager
def _blaming(others: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Turns the loss of a connection into the failure that caused it."""
    try:
        yield
    except RuntimeError as error:
        if not is_lost_connection(error):
            raise
        _end(others)
        raise PeerFailedError("another process of this run failed; its message stands above") from error


def _end(others: Sequence[subprocess.Popen[bytes]]) -> None:
    for other in others:
        if other.poll() is None:
            try:
                other.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
