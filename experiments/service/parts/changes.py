"""What answers is switched and rolled back while requests are answered."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CONFIG, OURS
from animeid.service.keys import ADMIN, new_key
from animeid.system.files import read_json, write_json
from experiments.service.load import Answer, Connection, Found, Load, run
from experiments.service.parts.common import CLIENTS, Given, Results, Row
from experiments.service.parts.exact import Names, are_equal, names_of
from experiments.service.pictures import Pictures, form, post
from experiments.service.servers import service, started

SWAPS, ROLLBACKS = 20, 3
PAUSE = 0.3
FIRST, SECOND = "first", "second"
Told = list[tuple[int, Answer]]
"""The place of each picture, and its answer."""


def measure(given: Given) -> Results:
    """Requests that failed, and answers that are not those of the version that they name."""
    registry, keys = given.folder / "registry", given.folder / "keys.jsonl"
    versions = two(given.artefact, registry)
    keys.unlink(missing_ok=True)
    key = b"X-API-Key: %b\r\n" % new_key(keys, "study", ADMIN).encode()
    with started(service(registry / FIRST, f"registry={registry}", f"keys={keys}")) as server:
        expected, told, found, failed = run(under_load(server.port, key, versions))
    statuses = Counter(answer.status for _, answer in told)
    good = [(place, json.loads(answer.body)) for place, answer in told if answer.status == 200]
    wrong = sum(not are_equal(names_of(one["names"]), expected[one["version"]][place]) for place, one in good)
    return {
        "requests": len(told) + found.dropped,
        "failed": len(told) - statuses[200] + found.dropped,
        "wrong": wrong,
        "by_version": dict(Counter(one["version"] for _, one in good)),
        "changes_failed": failed,
    }


def two(artefact: Path, registry: Path) -> dict[str, str]:
    """The artefact and one that is surer of the same names, side by side: their names by version."""
    shutil.rmtree(registry, ignore_errors=True)
    for name in (FIRST, SECOND):
        shutil.copytree(artefact, registry / name)
    config = read_json(registry / SECOND / CONFIG)
    config[OURS]["temperature"] = (config[OURS]["temperature"] or 1.0) / 4
    write_json(registry / SECOND / CONFIG, config)
    seal(registry / SECOND)
    return {Artefact.load(registry / name).version: name for name in (FIRST, SECOND)}


async def under_load(
    port: int, key: bytes, versions: dict[str, str]
) -> tuple[dict[str, list[Names]], Told, Found, list[str]]:
    """What each version answers to each picture, all answers under load, and what came of the changes."""
    pictures, told, failed = Pictures(3, more=key), list[tuple[int, Answer]](), list[str]()
    admin = await Connection.open(port)
    expected: dict[str, list[Names]] = {}
    for version, name in versions.items():
        failed += await swap(admin, key, name)
        answers = [await admin.ask(form(file, more=key)) for file in pictures.files]
        expected[version] = [names_of(json.loads(body)["names"]) for _, _, body in answers]
    is_over = asyncio.Event()
    load = Load(port, pictures, lambda *one: told.append(one))
    asking = asyncio.create_task(load.clients(CLIENTS, lambda: not is_over.is_set()))
    for name in changes(list(versions.values())[-1]):
        await asyncio.sleep(PAUSE)
        failed += await (swap(admin, key, name) if name else ask(admin, "POST", "/models/default/rollback", key, None))
    await asyncio.sleep(PAUSE)
    is_over.set()
    return expected, told, await asking, failed


def changes(now: str) -> list[str | None]:
    """What is to answer, one after the other; None is a rollback. Each changes what answers, which is this at first."""
    other, found = {FIRST: SECOND, SECOND: FIRST}, list[str | None]()
    for number in range(SWAPS):
        now = other[now]
        found.append(now)
        if number % (SWAPS // ROLLBACKS) == 1 and number // (SWAPS // ROLLBACKS) < ROLLBACKS:
            now = other[now]
            found.append(None)
    return found


async def swap(admin: Connection, key: bytes, name: str) -> list[str]:
    """Has another version answer; why it does not."""
    return await ask(admin, "PUT", "/models/default", key, {"version": name})


async def ask(admin: Connection, method: str, path: str, key: bytes, content: dict[str, Any] | None) -> list[str]:
    """Asks for a change; why it was not made."""
    request = post(path, json.dumps(content).encode() if content else b"", b"application/json", key)
    status, _, body = await admin.ask(request.replace(b"POST", method.encode(), 1))
    return [] if status == 200 else [body.decode()]


def rows(found: Results) -> list[Row]:
    requests, versions = found["requests"], len(found["by_version"])
    wrong = found["failed"] + found["wrong"] + len(found["changes_failed"])
    told = f"{found['failed']} failed, {found['wrong']} of another version than named, of {requests:,} by {versions}"
    target = f"{SWAPS} swaps and {ROLLBACKS} rollbacks under {CLIENTS} clients: failed or mixed requests"
    return [Row(target, "0", told, wrong == 0 and versions == 2)]
