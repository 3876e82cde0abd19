"""The service over thousands of requests: nothing is mixed up, dropped or piled up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import pytest

from animeid.deploy.pace import Pace
from animeid.deploy.runtime import Runtime
from animeid.service.keys import new_key
from animeid.service.registry import Registry
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import KEPT, Running, picture, png, running
from tests.service.test_running import children

pytestmark = pytest.mark.slow
AT_ONCE = 32


def test_thousands_of_answers_are_those_of_the_runtime() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4000, 30, 40, 3), np.uint8)
    runtime = Runtime.load(KEPT, pace=Pace(1, 1), batch_size=1)
    expected = runtime.names(runtime(list(pixels)))
    with running(KEPT, "workers=2", "queue=64") as service, ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda one: service.predict(png(one)).json(), pixels))
    for answer, names in zip(found, expected, strict=True):
        assert [name["label"] for name in answer["names"]] == [name["label"] for name in names]
        assert answer["confidence"] == pytest.approx(names[0]["probability"], abs=1e-6)


def test_twenty_swaps_and_three_rollbacks_drop_and_mix_nothing(tmp_path: Path) -> None:
    folders = [rich_artefact(tmp_path / "registry" / f"v{number}", temperature=20.0 * number) for number in (1, 2)]
    versions = list(Registry(tmp_path / "registry").scan())
    key = {"X-API-Key": new_key(tmp_path / "keys", "ops", "admin")}
    pixels = np.repeat(colour(0)[None], 3, 0)
    runtimes = [Runtime.load(folder) for folder in folders]
    own = {one.artefact.version: one.names(one([pixels[0]]))[0][0]["probability"] for one in runtimes}
    stop, answers = threading.Event(), []

    def ask(service: Running, client: int) -> None:
        content, number = colour(0), 0
        with httpx2.Client(headers=key, timeout=20) as asking:
            while not stop.is_set():
                number += 1
                content[-1, -1] = (250, client, number % 256)
                answers.append(asking.post(f"{service.address}/predict", content=png(content)))

    with running(folders[0], "workers=2", f"registry={tmp_path}/registry", f"keys={tmp_path}/keys") as service:
        threads = [threading.Thread(target=ask, args=(service, client)) for client in range(16)]
        for thread in threads:
            thread.start()
        for number in range(1, 25):
            change = httpx2.put if number % 8 else httpx2.post
            path = "/models/default" + ("" if number % 8 else "/rollback")
            body = {"json": {"version": f"v{number % 2 + 1}"}} if number % 8 else {}
            done = change(service.address + path, headers=key, timeout=60, **body)
            assert done.status_code == 200, done.text
            now = done.json()["aliases"]["default"]
            after = httpx2.post(f"{service.address}/predict", content=png(colour(1)), headers=key, timeout=20).json()
            assert after["version"] == now
        stop.set()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200} and len(answers) > 100
    for answer in (answer.json() for answer in answers):
        assert answer["confidence"] == pytest.approx(own[answer["version"]], abs=0.005)
    assert abs(own[versions[0]] - own[versions[1]]) > 0.1


def test_memory_stays_flat() -> None:
    def resident(service: Running) -> float:
        """Megabytes of the worker."""
        [worker] = children(service.process.pid)
        text = Path(f"/proc/{worker}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    with running(KEPT, "cache=200") as service, ThreadPoolExecutor(8) as threads:
        seen = []
        for turn in range(8):
            seeds = range(1000 * turn, 1000 * turn + 1000)
            list(threads.map(lambda seed: service.predict(picture(seed, (20, 20)) if seed % 5 else b"x"), seeds))
            seen.append(resident(service))
    slope = np.polyfit(range(4), seen[4:], 1)[0]
    assert slope < 1, seen
