"""The processes of a run on several devices: this one is the first, and starts and ends the others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import distributed

RANK = "LOCAL_RANK"
LEAVE_S = 10.0
"""Seconds that the others get to end by themselves when the first one fails."""


def own_rank() -> int:
    """0 in the first process and where there is only one."""
    return int(os.environ.get(RANK, "0"))


@contextmanager
def processes(number: int, command: Sequence[str]) -> Iterator[None]:
    """Runs `command` in `number - 1` more processes, which find one another as torch's `torchrun` has it.

    Leaving waits for them, since they still write then; after an error they are ended.

    Raises:
        RuntimeError: one of them failed.
    """
    if number == 1 or RANK in os.environ:
        yield
        return
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    threads = torch.get_num_threads()
    share = max(1, threads // number)
    others: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(1, number):
            environment = os.environ | common | {RANK: str(rank), "OMP_NUM_THREADS": str(share)}
            others.append(subprocess.Popen([sys.executable, *command], env=environment, stdout=subprocess.DEVNULL))
        os.environ.update(common, **{RANK: "0"})
        # Threads of several processes on the same cores spin against one another.
        torch.set_num_threads(share)
        yield
        if any(other.wait() for other in others):
            raise RuntimeError("another process of this run failed; its message stands above")
    finally:
        _end(others)
        for name in (*common, RANK):
            os.environ.pop(name, None)
        torch.set_num_threads(threads)
        if distributed.is_initialized():
            distributed.destroy_process_group()


def meet() -> None:
    """Waits until all processes are here."""
    if distributed.is_initialized():
        distributed.barrier()


def _end(others: Sequence[subprocess.Popen[bytes]]) -> None:
    for other in others:
        if other.poll() is None:
            try:
                other.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
