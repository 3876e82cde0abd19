"""`python -m experiments.service.study ARTEFACT`: the service under load; writes the page beside this file.

Command: python -m experiments.service.study my_model
Hardware: two cores are enough; nothing else may run.
Time: five minutes.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.service.load import Found, Load, Pictures

CLIENTS, SECONDS, ROUNDS = 16, 8.0, 3
OFFERED = 5
STOPS = 50
PAGE = Path(__file__).with_name("README.md")
PORTS = {"service": 8140, "blocking": 8141}
HEADER = ["target", "measured", "goal"]


def commands(artefact: str) -> dict[str, list[str]]:
    """How each way of answering is started."""
    return {
        "service": ["animeid.serve", f"artefact={artefact}", f"port={PORTS['service']}"],
        "blocking": ["experiments.service.blocking", artefact, str(PORTS["blocking"])],
    }


@contextmanager
def started(name: str, artefact: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service that answers."""
    process = subprocess.Popen([sys.executable, "-m", *commands(artefact)[name]], stdout=subprocess.DEVNULL)
    try:
        asyncio.run(answering(PORTS[name]))
        yield process
    finally:
        process.terminate()
        process.wait()


async def answering(port: int) -> None:
    """Waits until the first picture is answered."""
    while True:
        load = Load(port, Pictures(0))
        await load.open(1, 1)
        if load.found.times:
            return
        await asyncio.sleep(0.2)


def closed(name: str, seed: int, seconds: float = SECONDS) -> Found:
    return asyncio.run(Load(PORTS[name], Pictures(seed)).closed(CLIENTS, seconds))


def rates(artefact: str) -> dict[str, list[Found]]:
    """Both ways in turn, each alone."""
    found: dict[str, list[Found]] = {name: [] for name in PORTS}
    for turn in range(ROUNDS):
        for name in PORTS:
            with started(name, artefact):
                closed(name, 100 + turn, 2)
                found[name].append(closed(name, turn))
            print(f"{name}: {found[name][-1].rate():.0f} pictures/s", flush=True)
    return found


def overload(artefact: str, capacity: float) -> Found:
    """Several times what it can answer."""
    with started("service", artefact):
        closed("service", 50, 2)
        return asyncio.run(Load(PORTS["service"], Pictures(51)).open(OFFERED * capacity, SECONDS))


def stops(artefact: str, count: int) -> tuple[int, int]:
    """Requests that were answered, and that were lost, around SIGTERM at random moments under load."""
    answered = lost = 0
    for seed in range(count):
        with started("service", artefact) as process:
            found = asyncio.run(stopped(process, seed))
            answered += len(found.times.get(200, ()))
            # A connection that is refused was never taken.
            lost += sum(number for name, number in found.lost.items() if name != "ConnectionRefusedError")
        print(f"stop {seed + 1}: {lost} lost of {answered + lost}", flush=True)
    return answered, lost


async def stopped(process: subprocess.Popen[bytes], seed: int) -> Found:
    load = Load(PORTS["service"], Pictures(seed))
    asking = asyncio.create_task(load.closed(CLIENTS, 3.0))
    await asyncio.sleep(random.Random(seed).uniform(0.3, 1.0))
    process.send_signal(signal.SIGTERM)
    return await asking


def rows(artefact: str, count: int) -> list[list[str]]:
    both = rates(artefact)
    best = {name: max(found, key=Found.rate) for name, found in both.items()}
    ratio = best["service"].rate() / best["blocking"].rate()
    busy = overload(artefact, best["service"].rate())
    answered, lost = stops(artefact, count)
    kept = busy.rate() / best["service"].rate()
    return [
        [f"pictures/s, {CLIENTS} clients", f"{best['service'].rate():.0f}", ""],
        ["pictures/s, a blocking endpoint", f"{best['blocking'].rate():.0f}", ""],
        ["their ratio", f"{ratio:.2f}", "1.8"],
        ["p99, ms", f"{best['service'].milliseconds(0.99):.0f}", "150"],
        [f"good answers at {OFFERED} times the capacity, share of the highest", f"{kept:.2f}", "0.85"],
        ["503 at that load, p99 in ms", f"{busy.milliseconds(0.99, 503):.0f}", "50"],
        [f"requests lost in {count} stops under load, of {answered + lost:,}", str(lost), "0"],
    ]


def page(artefact: str, table: list[list[str]]) -> str:
    lines = [HEADER, ["---"] * len(HEADER), *table]
    command = f"python -m experiments.service.study {Path(artefact).name}"
    told = (
        f"Written by `{command}` on {time.strftime('%Y-%m-%d')}. All pictures differ; {CLIENTS} clients wait for their "
        f"answers; the best of {ROUNDS} rounds in turn. The load is made on the same machine, and takes a share of it."
    )
    return "\n".join(
        [
            "# The service under load",
            "",
            told,
            "",
            *("| " + " | ".join(line) + " |" for line in lines),
            "",
        ]
    )


def main(arguments: list[str]) -> None:
    artefact, count = arguments[0], int(arguments[1]) if len(arguments) > 1 else STOPS
    table = rows(artefact, count)
    PAGE.write_text(page(artefact, table), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
