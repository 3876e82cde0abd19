"""Mixed load for a long time: whether resident memory grows."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

import numpy as np
from scipy import stats

from experiments.service.load import Load, run
from experiments.service.parts.common import Given, Results, Row
from experiments.service.pictures import FORM, Pictures, form, get, post
from experiments.service.servers import Server, service, started

CLIENTS = 6
SAMPLES = 1000
WARM_SHARE = 0.3
"""Of the time, before which caches fill and allocators find their sizes."""
BLOCKS = 20
"""Neighbouring samples hang together; the means of so many blocks hardly do."""
MEGABYTE = 2**20
PATHS = ("/health", "/metrics", "/models", "/characters", "/", "/openapi.json", "/nothing")


def measure(given: Given) -> Results:
    """Resident memory of all processes of the service together, over the minutes."""
    feedback = given.folder / "feedback.jsonl"
    with started(service(given.artefact, f"feedback={feedback}", "cache=200")) as server:
        times, sizes, statuses = run(watched(server, given.minutes * 60))
    feedback.unlink(missing_ok=True)
    return {"minutes": given.minutes, "times": times, "megabytes": sizes, "statuses": statuses}


async def watched(server: Server, seconds: float) -> tuple[list[float], list[float], dict[str, int]]:
    load = Load(server.port, Mixed(11))
    asking = asyncio.create_task(load.closed(CLIENTS, seconds))
    began, times, sizes = time.monotonic(), list[float](), list[float]()
    while not asking.done():
        await asyncio.sleep(seconds / SAMPLES)
        times.append(round(time.monotonic() - began, 2))
        sizes.append(round(sum(map(resident, tree(server.process.pid))) / MEGABYTE, 2))
    found = await asking
    return times, sizes, {str(status): len(of) for status, of in found.times.items()} | dict(found.lost)


class Mixed:
    """Requests of all kinds: new pictures and old ones, damaged ones, several at once, pages and figures."""

    def __init__(self, seed: int) -> None:
        self._random, self._pictures = random.Random(seed), Pictures(seed)

    def __call__(self) -> tuple[bytes, None]:
        return self._request(self._random.random()), None

    def _request(self, chance: float) -> bytes:
        file = self._random.choice(self._pictures.files)
        if chance < 0.5:
            return self._pictures()[0]
        if chance < 0.65:
            return form(file)  # an old one
        if chance < 0.75:
            return form(file[: self._random.randrange(len(file))])
        if chance < 0.8:
            return post("/predict?top_k=3", self._random.randbytes(self._random.randrange(50_000)))
        if chance < 0.85:
            part = b'--%b\r\nContent-Disposition: form-data; name="files"\r\n\r\n%b\r\n'
            several = b"".join(part % (FORM[-6:], one) for one in self._random.sample(self._pictures.files, 3))
            return post("/predict_batch", several + b"--%b--\r\n" % FORM[-6:], FORM)
        if chance < 0.87:
            said = {"request_id": "a", "version": "b", "picture": "0" * 64, "answered": "c", "verdict": "right"}
            return post("/feedback", json.dumps(said).encode(), b"application/json")
        return get(self._random.choice(PATHS))


def tree(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found += tree(int(child))
    return found


def resident(pid: int) -> int:
    """Bytes of memory; 0 of a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def slope(times: list[float], megabytes: list[float]) -> tuple[float, float, float]:
    """Megabytes an hour after the warm share, with the ends of its 95 % interval."""
    late = [place for place, moment in enumerate(times) if moment >= WARM_SHARE * times[-1]]
    blocks = np.array_split(np.array(late), BLOCKS)
    hours = [np.mean([times[place] for place in block]) / 3600 for block in blocks]
    line = stats.linregress(hours, [np.mean([megabytes[place] for place in block]) for block in blocks])
    half = float(stats.t.ppf(0.975, BLOCKS - 2)) * line.stderr
    return line.slope, line.slope - half, line.slope + half


def rows(found: Results) -> list[Row]:
    value, low, high = slope(found["times"], found["megabytes"])
    served, seen = sum(found["statuses"].values()), found["megabytes"]
    about = f"{seen[len(seen) // 3]:.0f} to {seen[-1]:.0f} MB, {served:,} requests"
    told = f"{value:+.1f} ({low:+.1f} to {high:+.1f}; {about})"
    target = f"{found['minutes']:g} minutes of mixed load: slope of resident memory, MB an hour (95 % interval)"
    return [Row(target, "not above 0", told, low <= 0)]
