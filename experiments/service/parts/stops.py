"""SIGTERM at random moments under load."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess

from experiments.service.load import Found, Load, run
from experiments.service.parts.common import CLIENTS, Given, Results, Row
from experiments.service.pictures import Pictures
from experiments.service.servers import Server, service, started

EARLIEST, LATEST = 0.1, 1.0
LIMIT = 30.0
"""Seconds from the signal to the end of the process."""


def measure(given: Given) -> Results:
    """Requests that were answered, and that were dropped, around each stop."""
    answered = others = dropped = bad_ends = 0
    for seed in range(given.stops):
        with started(service(given.artefact)) as server:
            found = run(stopped(server, seed))
            bad_ends += ended(server.process) != 0
        answered += len(found.times.get(200, ()))
        others += sum(len(times) for status, times in found.times.items() if status != 200)
        dropped += found.dropped
        print(f"stop {seed + 1}: {dropped} dropped of {answered + dropped}", flush=True)
    return {"stops": given.stops, "answered": answered, "others": others, "dropped": dropped, "bad_ends": bad_ends}


async def stopped(server: Server, seed: int) -> Found:
    """Clients ask until they are refused a connection."""
    asking = asyncio.create_task(Load(server.port, Pictures(seed)).closed(CLIENTS, LIMIT))
    await asyncio.sleep(random.Random(seed).uniform(EARLIEST, LATEST))
    server.process.send_signal(signal.SIGTERM)
    return await asking


def ended(process: subprocess.Popen[bytes]) -> int | None:
    """The exit status; None where it does not end."""
    try:
        return process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        return None


def rows(found: Results) -> list[Row]:
    lost = found["dropped"] + found["others"]
    target = f"SIGTERM at {found['stops']} random moments under {CLIENTS} clients: dropped requests"
    told = f"{lost} of {found['answered'] + lost:,}"
    ends = f"{found['stops'] - found['bad_ends']} of {found['stops']}"
    return [
        Row(target, "0", told, lost == 0),
        Row("stops that ended with status 0 in time", "all", ends, found["bad_ends"] == 0),
    ]
