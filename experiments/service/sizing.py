"""`python -m experiments.service.sizing [ARTEFACT]`: what one machine answers, and how many are needed for more.

Command: python -m experiments.service.sizing [ARTEFACT] [SECONDS]
Hardware: any; nothing else may run. The load is made on the same machine.
Time: a minute for each number of cores that is tried. Without an artefact the study of the service makes one.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import yaml

from animeid.artefacts.artefact import Artefact
from animeid.system.machine import allowed_numbers, usable_cores
from experiments.runs import table
from experiments.service.artefact import made
from experiments.service.load import Found, Load, run
from experiments.service.parts.common import CLIENTS, WARM_SECONDS
from experiments.service.pictures import Pictures
from experiments.service.servers import Server, service, started
from experiments.service.study import FOLDER, environment

SECONDS = 8.0
PAGE = Path(__file__).with_name("sizing.md")
AUTOSCALER = Path(__file__).parents[2] / "packaging" / "kubernetes" / "autoscaler.yaml"
WANTED = (10, 50, 200, 1000)
"""Pictures a second that many machines are to answer."""
HEADER = ["answered by", "pictures/s", "p50, ms", "p99, ms", "memory, MB", "ready after, s", "cores of the load"]
MEGABYTE = 2**20


def sizes(cores: int) -> list[int]:
    """Numbers of cores that are tried: 1, 2, 4 and so on, and all."""
    return sorted({*(2**power for power in range(cores.bit_length())), cores})


@contextmanager
def on(cores: int) -> Iterator[None]:
    """Has what is started in the block use so many cores, and afterwards this process all that it may."""
    allowed = allowed_numbers() or frozenset()
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def megabytes(server: Server) -> float:
    """Memory of all processes of a service, what they share counted once."""
    own = psutil.Process(server.process.pid)
    return sum(one.memory_full_info().pss for one in [own, *own.children(recursive=True)]) / MEGABYTE


def measured(name: str, command: Sequence[str], cores: int, seconds: float) -> tuple[float, list[str]]:
    """Pictures a second, and the row."""
    began = time.monotonic()
    with ExitStack() as open_now:
        with on(cores):
            server = open_now.enter_context(started(command, {**os.environ, "OMP_NUM_THREADS": str(cores)}))
        ready = time.monotonic() - began
        run(Load(server.port, Pictures(1)).closed(CLIENTS, WARM_SECONDS))
        found: Found = run(Load(server.port, Pictures(2)).closed(CLIENTS, seconds))
        memory = megabytes(server)
    times = [f"{found.milliseconds(share):.0f}" for share in (0.5, 0.99)]
    row = [name, f"{found.rate():.0f}", *times, f"{memory:.0f}", f"{ready:.1f}", f"{found.core:.2f}"]
    print(" ".join(row), flush=True)
    return found.rate(), row


def share() -> float:
    """How busy the autoscaler lets processors be."""
    plain = yaml.safe_load(AUTOSCALER.read_text(encoding="utf-8"))
    return plain["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] / 100


def machines(wanted: float, rate: float) -> int:
    """So many are no busier than the autoscaler wants, even where one of them has failed."""
    return math.ceil(wanted / (share() * rate)) + 1


def page(rows: Sequence[Sequence[str]], rates: dict[int, float], command: str) -> str:
    needed = [[str(wanted), *(str(machines(wanted, rate)) for rate in rates.values())] for wanted in WANTED]
    header = ["pictures/s", *(f"machines of {cores} core{'s' if cores > 1 else ''}" for cores in rates)]
    return f"""# Sizes of the service

Written by `{command}` on {time.strftime("%Y-%m-%d")}: {environment()}.

All pictures differ; {CLIENTS} clients wait for their answers. The load is made on the same machine, and where it has no
core of its own it takes a share of the service's: a machine that is asked from elsewhere answers more.

{table(HEADER, rows)}

## Many machines

Machines share nothing, so that their rates add up. So many are {100 * share():.0f} % busy, where the autoscaler keeps
them, when one of them has failed: the wanted rate by that share of a machine's rate, rounded up, and one more. This is
computed of the first table, not measured.

{table(header, needed)}
"""


def main(arguments: Sequence[str]) -> None:
    artefact = Path(arguments[0]) if arguments else made(FOLDER / "artefact")
    Artefact.load(artefact)
    seconds = float(arguments[1]) if len(arguments) > 1 else SECONDS
    rates, rows = {}, []
    for cores in sizes(usable_cores()):
        name = f"{cores} core{'s' if cores > 1 else ''}"
        rates[cores], row = measured(name, service(artefact), cores, seconds)
        rows.append(row)
    if find_spec("ray"):
        replicas = usable_cores()
        name = f"Ray Serve, {replicas} replicas of 1 core"
        command = service(artefact, "engine=ray", f"replicas={replicas}")
        rows.append(measured(name, command, replicas, seconds)[1])
    given = " ".join([artefact.name, *arguments[1:]] if arguments else [])
    PAGE.write_text(page(rows, rates, f"python -m experiments.service.sizing {given}".strip()), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
