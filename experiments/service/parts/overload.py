"""Several times what the service can answer."""

from __future__ import annotations

from experiments.service.load import Load, run
from experiments.service.parts.common import CLIENTS, WARM_SECONDS, Given, Results, Row
from experiments.service.pictures import Pictures
from experiments.service.servers import service, started

OFFERED = 5
KEPT, REFUSED_MS = 0.85, 50.0


def measure(given: Given) -> Results:
    """Good answers a second of clients that wait, and under too many requests."""
    with started(service(given.artefact)) as server:
        run(Load(server.port, Pictures(50)).closed(CLIENTS, WARM_SECONDS))
        most = run(Load(server.port, Pictures(51)).closed(CLIENTS, given.seconds))
        offered = OFFERED * most.rate()
        busy = run(Load(server.port, Pictures(52)).open(offered, given.seconds))
    return {
        "highest": most.rate(),
        "offered": offered,
        "good": busy.rate(),
        "refused": busy.rate(503),
        "refused_p99_ms": busy.milliseconds(0.99, 503),
        "good_p99_ms": busy.milliseconds(0.99),
        "others": {str(status): len(times) for status, times in busy.times.items() if status not in (200, 503)},
        "lost": dict(busy.lost),
        "core": busy.core,
    }


def rows(found: Results) -> list[Row]:
    kept, slowest = found["good"] / found["highest"], found["refused_p99_ms"]
    wrong = sum(found["others"].values()) + sum(found["lost"].values())
    load = f"{found['offered']:.0f}/s offered, the load takes {found['core']:.2f} of a core"
    return [
        Row(
            f"{OFFERED} times the capacity: good answers, share of the highest",
            f"{KEPT:g}",
            f"{kept:.2f} ({found['good']:.0f} of {found['highest']:.0f}/s; {load})",
            kept >= KEPT,
        ),
        Row("its 503, p99 in ms", f"under {REFUSED_MS:g}", f"{slowest:.0f}", slowest < REFUSED_MS),
        Row("its requests with another answer or none", "0", str(wrong), wrong == 0),
    ]
