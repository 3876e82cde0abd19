"""Pictures a second beside peers, in turn, and the time of nearly all answers."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from animeid.artefacts.artefact import Artefact
from animeid.system.machine import usable_cores
from experiments.service.load import Found, Load, run
from experiments.service.outside import outside
from experiments.service.parts.common import CLIENTS, WARM_SECONDS, Given, Results, Row
from experiments.service.peers.naming import Naming
from experiments.service.pictures import Pictures
from experiments.service.servers import service, started

ROUNDS = 3
OURS, BLOCKING, AS_SHOWN, AT_BEST = (
    "animeid",
    "FastAPI, blocking",
    "LitServe, as its guide has it",
    "LitServe, at its best",
)
P99_MS = 150.0
ALONE = "decoder and network, without a service"
GOALS = {BLOCKING: 1.8, AS_SHOWN: 2.0, AT_BEST: 2.0}


def without_service(artefact: Path, seconds: float) -> float:
    """Pictures a second that all cores decode and name, each with a session of its own, and nobody who asks."""
    files, namings = Pictures(1).files, [Naming(Artefact.load(artefact), 1) for _ in range(usable_cores())]
    until = time.monotonic() + seconds

    def named(naming: Naming) -> int:
        count = 0
        while time.monotonic() < until:
            naming(naming.read(io.BytesIO(files[count % len(files)])))
            count += 1
        return count

    with ThreadPoolExecutor(len(namings)) as threads:
        return sum(threads.map(named, namings)) / seconds


def measure(given: Given) -> Results:
    """Rates, the p99 of ours, and what the load took of a core, in each round."""
    environment, artefact = outside(given.folder / "outside"), str(given.artefact)
    peers = "experiments.service.peers"
    commands = {
        OURS: service(given.artefact),
        BLOCKING: [f"{peers}.blocking", artefact, "{port}"],
        AS_SHOWN: [f"{peers}.litserve_api", artefact, "{port}", "1", "0"],
        AT_BEST: [f"{peers}.litserve_api", artefact, "{port}", str(usable_cores()), "1"],
    }
    found: dict[str, list[Found]] = {name: [] for name in commands}
    alone = []
    for turn in range(ROUNDS):
        alone.append(without_service(given.artefact, given.seconds))
        print(f"{ALONE}: {alone[-1]:.0f} pictures/s", flush=True)
        for name, command in commands.items():
            # What LitServe brings along stays its own: ours and FastAPI are as `animeid[serve]` installs them.
            own = {"environment": environment} if name in (AS_SHOWN, AT_BEST) else {}
            with started(command, **own) as server:
                run(Load(server.port, Pictures(100 + turn)).closed(CLIENTS, WARM_SECONDS))
                found[name].append(run(Load(server.port, Pictures(turn)).closed(CLIENTS, given.seconds)))
            print(f"{name}: {found[name][-1].rate():.0f} pictures/s", flush=True)
    return {ALONE: {"rates": alone}} | {
        name: {
            "rates": [one.rate() for one in rounds],
            "p99_ms": [one.milliseconds(0.99) for one in rounds],
            "core": [one.core for one in rounds],
            "others": sum(len(times) for one in rounds for status, times in one.times.items() if status != 200)
            + sum(one.dropped for one in rounds),
        }
        for name, rounds in found.items()
    }


def rows(found: Results) -> list[Row]:
    def told(name: str) -> str:
        rates = found[name]["rates"]
        return f"{median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"

    ratios = {name: [a / b for a, b in zip(found[OURS]["rates"], found[name]["rates"], strict=True)] for name in GOALS}
    p99 = found[OURS]["p99_ms"]
    share = median(a / b for a, b in zip(found[OURS]["rates"], found[ALONE]["rates"], strict=True))
    return [
        *(Row(f"pictures/s, {CLIENTS} clients: {name}", "", told(name), None) for name in found if name != ALONE),
        Row(f"pictures/s of {ALONE}", "", f"{told(ALONE)}; the service reaches {100 * share:.0f} %", None),
        *(
            Row(f"times {name}", f"{goal:g}", f"{median(ratios[name]):.2f}", median(ratios[name]) >= goal)
            for name, goal in GOALS.items()
        ),
        Row("what the load takes of a core meanwhile", "", f"{median(found[OURS]['core']):.2f}", None),
        Row(f"p99 of {CLIENTS} clients, ms", f"under {P99_MS:g}", f"{median(p99):.0f}", median(p99) < P99_MS),
    ]
