"""The service on Ray Serve: what it refuses, what its replicas count, and a change of versions under load."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from animeid import serve
from animeid.artefacts.artefact import Artefact
from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CONFIG
from animeid.errors import InputError
from animeid.service.arguments import request_of
from animeid.service.replicas.gathering import WithoutId, merged
from animeid.system.files import read_json, write_json
from tests.service.serving import KEPT, Running, client, picture

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "key", ["keys=keys.jsonl", "registry=folder", "log=folder", "feedback=file", "workers=2", "connections=9"]
)
def test_what_several_machines_do_not_share_is_refused(key: str) -> None:
    with pytest.raises(InputError, match=f"engine=ray knows no {key.partition('=')[0]}=: leave it out"):
        request_of(["artefact=a", "engine=ray", "replicas=2", key])


@pytest.mark.parametrize("key", ["replicas=2", "replica_cores=2"])
def test_replicas_are_of_ray(key: str) -> None:
    with pytest.raises(InputError, match="is of engine=ray: add that"):
        request_of(["artefact=a", key])
    assert request_of(["artefact=a", "engine=ray", "shadow=b", "urls=true", key]).engine == "ray"


def test_without_ray_the_service_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animeid.service.command.find_spec", lambda name: None)
    assert serve.main([f"artefact={KEPT}", "engine=ray"]) == 2
    assert "engine=ray needs Ray Serve, which is not installed: pip install 'animeid[ray]'" in capsys.readouterr().err


def counted(pictures: int, waiting: int) -> str:
    registry = CollectorRegistry()
    Counter("animeid_pictures", "Named", ["version"], registry=registry).labels("1").inc(pictures)
    Gauge("animeid_queue", "Waiting", registry=registry).set(waiting)
    return generate_latest(registry).decode()


def test_samples_say_which_replica_they_are_of() -> None:
    text = merged({"b": counted(3, 1), "a": counted(4, 0)}).decode()
    assert text.count("# TYPE animeid_pictures_total counter") == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    pictures = [(one.labels, one.value) for one in families["animeid_pictures"].samples]
    assert pictures == [({"replica": "a", "version": "1"}, 4.0), ({"replica": "b", "version": "1"}, 3.0)]
    assert [one.value for one in families["animeid_queue"].samples] == [0.0, 1.0]
    assert set(families) == {"animeid_pictures", "animeid_queue"}


def test_a_replica_leaves_the_id_of_a_request_to_the_proxy() -> None:
    async def own(request: object) -> Response:
        return Response("own", headers={"X-Request-ID": "1", "X-Other": "2"})

    found = TestClient(WithoutId(Starlette(routes=[Route("/health", own)]))).get("/health")
    assert found.text == "own" and found.headers["x-other"] == "2"
    assert "x-request-id" not in found.headers, "Ray's proxy sets it too"


def test_metrics_of_all_replicas_are_asked_for_like_anything_else() -> None:
    async def gathered() -> bytes:
        return merged({"a": counted(1, 0)})

    with client(KEPT) as found:
        found.app.app.state.service.gather = gathered  # type: ignore[attr-defined]
        assert 'replica="a"' in found.get("/metrics").text
        head = found.head("/metrics")
        assert head.status_code == 200 and head.headers["content-type"].startswith("text/plain")
        assert found.get("/metrics", headers={"Host": "evil.example"}).status_code == 421
        found.app.app.state.service.gather = None  # type: ignore[attr-defined]
        assert 'animeid_requests_total{route="/metrics",status="200"} 2.0' in found.get("/metrics").text


# A cluster.


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of commands with a Python that has Ray, and whose cluster is not found by others."""
    folder = tmp_path_factory.mktemp("ray")
    runtime = tomllib.loads((ROOT / "packaging/runtime/pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = runtime["optional-dependencies"]
    wanted = [*runtime["dependencies"], *extras["serve"], *extras["ray"][1:]]
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    own = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets lie below it, whose paths must be short
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "RAY_ADDRESS")}
    yield {**kept, "PYTHONPATH": str(ROOT), "RAY_TMPDIR": own, "HOME": own, "PYTHON": python}
    shutil.rmtree(own, ignore_errors=True)


@contextmanager
def on_ray(folder: Path, environment: dict[str, str], port: int = 0) -> Iterator[Running]:
    command = [environment["PYTHON"], "-m", "animeid.serve", f"artefact={folder}", f"port={port}"]
    process = subprocess.Popen(
        [*command, "engine=ray", "replicas=2", "drain_seconds=0"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("http://")
        yield Running(process, said.split()[0])
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def newer(folder: Path) -> tuple[Path, str]:
    """The same with another temperature, and its version."""
    shutil.copytree(KEPT, folder)
    plain = read_json(folder / CONFIG)
    write_json(folder / CONFIG, {**plain, "animeid": {**plain["animeid"], "temperature": 2.5}})
    seal(folder)
    return folder, Artefact.load(folder).version


@pytest.mark.slow
def test_a_change_of_versions_under_load_fails_no_request(environment: dict[str, str], tmp_path: Path) -> None:
    """Two replicas on a cluster of this machine, the second command of which has them replaced."""
    folder, version = newer(tmp_path / "newer")
    with client(KEPT) as alone, on_ray(KEPT, environment) as first:
        ours, theirs = alone.post("/predict", content=picture(1)).json(), first.predict(picture(1)).json()
        assert [name["label"] for name in theirs["names"]] == [name["label"] for name in ours["names"]]
        assert [name["probability"] for name in theirs["names"]] == pytest.approx(
            [name["probability"] for name in ours["names"]], rel=1e-5
        )
        assert first.get("/health/ready").json() == {"ready": True, "reason": ""}
        stop, answered = threading.Event(), []

        def ask(number: int) -> None:
            with httpx2.Client(timeout=30) as own:
                while not stop.is_set():
                    number += 1
                    response = own.post(f"{first.address}/predict", content=picture(number))
                    said = response.json()["version"] if response.status_code == 200 else response.text
                    answered.append((response.status_code, said))

        threads = [threading.Thread(target=ask, args=(100_000 * place,)) for place in range(3)]
        for thread in threads:
            thread.start()
        port = int(first.address.rpartition(":")[2])
        try:
            with on_ray(folder, {**environment, "RAY_ADDRESS": "auto"}, port) as second:
                assert first.predict(picture(2)).json()["version"] == version
                text = second.get("/metrics").text
                assert len(set(re.findall(r'replica="(\w+)"', text))) == 2
                stop.set()
                for thread in threads:
                    thread.join()
                assert second.stop(signal.SIGTERM) == 0
        finally:
            stop.set()
        assert {status for status, _ in answered} == {200}
        assert {found for _, found in answered} == {theirs["version"], version}
        assert first.get("/health").status_code == 404, "the second command has taken over, and has ended"
        assert first.stop(signal.SIGINT) == 0
