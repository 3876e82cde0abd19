"""Hostile input: schemathesis over the OpenAPI, a corpus, and connections that are slow; and what others notice."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from contextlib import suppress

import httpx2

from experiments.service.corpus import hostile
from experiments.service.load import Found, Load, run
from experiments.service.outside import outside
from experiments.service.parts.common import WARM_SECONDS, Given, Results, Row
from experiments.service.pictures import Pictures
from experiments.service.servers import Server, service, started

OTHERS = 4
"""Clients that ask for good pictures meanwhile."""
HOSTILE = 2
SLOW = 200
SLOW_HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
EXAMPLES = 30
MOST_TIMES = 2.0
COUNTED = re.compile(r'^animeid_requests_total\{.*status="(\d+)".*\} (\S+)$', re.MULTILINE)
KILLED = re.compile(r"^animeid_decoders_killed_total (\S+)$", re.MULTILINE)


def measure(given: Given) -> Results:
    """Statuses of all answers by the service's own count, whether a worker died, and the p99 of other clients."""
    environment = outside(given.folder / "outside")
    with started(service(given.artefact, f"feedback={given.folder / 'hostile.jsonl'}")) as server:
        workers = server.workers
        run(Load(server.port, Pictures(70)).closed(OTHERS, WARM_SECONDS))
        quiet = run(Load(server.port, Pictures(71)).closed(OTHERS, given.seconds))
        slow = run(beside_slow(server.port, given.seconds))
        corpus, beside = run(beside_corpus(server.port))
        tested = schemathesis(server, environment)
        metrics = httpx2.get(server.address + "/metrics", timeout=60).text
        survived = server.workers == workers
    killed = KILLED.search(metrics)
    statuses: dict[str, float] = {}
    for status, count in COUNTED.findall(metrics):
        statuses[status] = statuses.get(status, 0) + float(count)
    return {
        "statuses": statuses,
        "corpus": {"requests": sum(map(len, corpus.times.values())), "dropped": corpus.dropped},
        "schemathesis": tested,
        "killed": float(killed[1]) if killed else 0.0,
        "survived": survived,
        "p99_ms": {
            name: one.milliseconds(0.99) for name, one in (("quiet", quiet), ("slow", slow), ("corpus", beside))
        },
    }


async def beside_slow(port: int, seconds: float) -> Found:
    """Others' answers while many connections send a byte now and then."""
    slow = [asyncio.create_task(_slow(port)) for _ in range(SLOW)]
    found = await Load(port, Pictures(72)).closed(OTHERS, seconds)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return found


async def _slow(port: int) -> None:
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(SLOW_HEAD)
            while True:
                await asyncio.sleep(1)
                writer.write(b"\xff")
                await writer.drain()
        finally:
            writer.close()


async def beside_corpus(port: int) -> tuple[Found, Found]:
    """What came of the corpus, and of others' requests meanwhile."""
    requests = hostile(0)
    left = iter(requests)
    corpus = asyncio.create_task(Load(port, lambda: next(left)[::-1]).each(HOSTILE, len(requests)))
    found = await Load(port, Pictures(73)).clients(OTHERS, lambda: not corpus.done())
    return await corpus, found


def schemathesis(server: Server, environment: dict[str, str]) -> dict[str, object]:
    """Its exit status and last lines, with the one check that no answer is an error of the server's."""
    asked = ("run", f"{server.address}/openapi.json", "--checks", "not_a_server_error", "--max-examples", str(EXAMPLES))
    began = time.monotonic()
    command = (sys.executable, "-m", "schemathesis.cli", *asked, "--request-timeout", "60", "--no-color")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=None)
    told = done.stdout.strip().splitlines()[-12:] or done.stderr.strip().splitlines()[-5:]
    return {"status": done.returncode, "told": told, "seconds": time.monotonic() - began}


def rows(found: Results) -> list[Row]:
    statuses, p99 = found["statuses"], found["p99_ms"]
    errors = sum(count for status, count in statuses.items() if status[0] == "5" and status != "503")
    total, dropped = sum(statuses.values()), found["corpus"]["dropped"]
    passed = found["schemathesis"]["status"] == 0
    told = f"{errors:.0f} of {total:,.0f}; schemathesis {'found none' if passed else 'found some'}"
    times = {name: p99[name] / p99["quiet"] for name in ("slow", "corpus")}
    return [
        Row(
            f"schemathesis and a corpus of {found['corpus']['requests']:,} hostile requests: answers 5xx but for 503",
            "0",
            told,
            errors == 0 and passed,
        ),
        Row(
            "workers that died of it, and requests without an answer",
            "0",
            f"{0 if found['survived'] else 'some'}, {dropped}; {found['killed']:.0f} decoders were killed and replaced",
            found["survived"] and dropped == 0,
        ),
        *(
            Row(
                f"p99 of {OTHERS} other clients, times as long {what}",
                f"under {MOST_TIMES:g}",
                text,
                value < MOST_TIMES,
            )
            for what, value, text in (
                (f"beside {SLOW} slow connections", times["slow"], _times(p99, "slow")),
                (f"beside {HOSTILE} clients with the corpus", times["corpus"], _times(p99, "corpus")),
            )
        ),
    ]


def _times(p99: dict[str, float], name: str) -> str:
    return f"{p99[name] / p99['quiet']:.1f} ({p99[name]:.0f} and {p99['quiet']:.0f} ms)"
