"""What answers is changed while requests are answered, and each answer is that of one version."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from animeid.deploy.runtime import Runtime
from animeid.errors import InputError
from animeid.service.keys import new_key
from animeid.service.model import Model
from animeid.service.models import Models
from animeid.service.registry import Registry
from animeid.service.state import REMEMBERED, State, StateFile
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import WAY, client, png
from tests.service.test_predict import problem, sent, value


def test_versions_are_switched_and_rolled_back() -> None:
    state = State(aliases={"default": ("a",)})
    switched = state.switched("default", "b").switched("new", "c")
    assert switched.current == {"default": "b", "new": "c"} and switched.needed == {"a", "b", "c"}
    assert switched.rolled_back("default").current["default"] == "a"
    assert switched.switched("default", "a").aliases["default"] == ("a", "b")
    with pytest.raises(InputError, match="no version before"):
        state.rolled_back("default")
    for number in range(20):
        state = state.switched("default", str(number))
    assert len(state.aliases["default"]) == REMEMBERED and state.needed == {"19", "18"}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Three artefacts, of which the last is altered; one is half copied."""
    for number in range(1, 4):
        rich_artefact(tmp_path / "registry" / f"v{number}", temperature=float(number))
    (tmp_path / "registry" / "v3" / "model.onnx").write_bytes(b"altered")
    shutil.copytree(tmp_path / "registry" / "v1", tmp_path / "registry" / "half")
    (tmp_path / "registry" / "half" / "checksums.txt").unlink()
    return tmp_path / "registry"


def test_a_registry_finds_versions_and_folders(registry: Path) -> None:
    scanned = Registry(registry).scan()
    assert [path.name for path in scanned.values()] == ["v1", "v2", "v3"]
    for version, path in scanned.items():
        assert Registry(registry).find(version) == Registry(registry).find(path.name) == (version, path)
    with pytest.raises(InputError, match="has no artefact v4"):
        Registry(registry).find("v4")


@pytest.fixture
def service(registry: Path, tmp_path: Path) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A service of `v1`, with the registry, and the headers of an admin."""
    keys = tmp_path / "keys.jsonl"
    headers = {"X-API-Key": new_key(keys, "ops", "admin")}
    with client(registry / "v1", registry=str(registry), keys=str(keys)) as found:
        found.headers.update(headers)
        yield found, headers


def test_what_answers_is_changed_and_changed_back(service: tuple[TestClient, Any], registry: Path) -> None:
    found, _ = service
    first, second, third = Registry(registry).scan()
    content = png(np.full((30, 40, 3), (140, 110, 90), np.uint8))
    before = sent(found.post("/predict", content=content))
    assert before["version"] == first
    assert sent(found.post("/models/rescan"))["found"] == {first: "v1", second: "v2", third: "v3"}
    assert sent(found.put("/models/default", json={"version": "v2"}))["aliases"] == {"default": second}
    after = sent(found.post("/predict", content=content))
    assert after["version"] == second and after["source"] == "network"
    assert after["confidence"] < before["confidence"]
    assert sent(found.put("/models/next", json={"version": first}))["aliases"] == {"default": second, "next": first}
    assert sent(found.post("/predict?model=next", content=content))["names"] == before["names"]
    assert sent(found.post("/models/default/rollback"))["aliases"]["default"] == first
    assert sent(found.post("/predict", content=content))["names"] == before["names"]
    problem(found.post("/models/default/rollback"), 409, "no version before")
    problem(found.put("/models/default", json={"version": "v3"}), 409, "is not what was exported")
    problem(found.put("/models/default", json={"version": "v4"}), 404, "has no artefact v4")
    problem(found.put("/models/default", json={}), 422, "version")
    problem(found.put("/models/a%20b", json={"version": "v2"}), 422, "alias")
    problem(found.post("/models/other/rollback"), 404, "no model called other")
    assert sent(found.post("/predict", content=content))["version"] == first


def test_no_request_fails_while_what_answers_changes(service: tuple[TestClient, Any], registry: Path) -> None:
    found, _ = service
    first, second, _ = Registry(registry).scan()
    expected = {
        version: sent(found.post("/predict", content=png(colour(2))))["names"]
        for name, version in (("v2", second), ("v1", first))
        if sent(found.put("/models/default", json={"version": name}))
    }
    stop, answers = threading.Event(), []

    def ask(client: int) -> None:
        pixels = colour(2)
        number = 0
        while not stop.is_set():
            number += 1
            pixels[0, 0] = (client, number % 256, number // 256)  # another file, and hardly another picture
            answers.append(found.post("/predict?top_k=3", content=png(pixels)))

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(3)]
    for thread in threads:
        thread.start()
    for number in range(8):
        sent(found.put("/models/default", json={"version": ("v2", "v1")[number % 2]}))
        if number % 3 == 2:
            sent(found.post("/models/default/rollback"))
    stop.set()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    told = [answer.json() for answer in answers]
    assert {answer["version"] for answer in told} == {first, second}
    for answer in told:
        assert answer["names"][0]["label"] == "青"
        own = expected[answer["version"]][0]["probability"]
        assert answer["confidence"] == pytest.approx(own, abs=0.01)


def test_one_change_waits_for_another(service: tuple[TestClient, Any], registry: Path) -> None:
    found, _ = service
    first = Registry(registry).find("v1")[0]
    with found.app.app.state.service.models.file.changing():
        problem(found.put("/models/default", json={"version": "v2"}), 409, "is being changed already")
    assert sent(found.get("/models"))["aliases"] == {"default": first}
    assert sent(found.put("/models/default", json={"version": "v2"}))["aliases"]["default"] != first


def test_a_version_before_that_is_gone_keeps_no_worker_from_beginning(
    registry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one begins that takes another's place; what answers is needed, and what is not does no harm."""
    file, reports = StateFile(tmp_path / "state.json"), tmp_path / "reports"
    reports.mkdir()
    versions = {name: Registry(registry).find(name) for name in ("v1", "v2")}
    folders = {version: str(folder) for version, folder in versions.values()}
    (now, _), (before, gone) = versions["v1"], versions["v2"]
    State(folders=folders, aliases={"default": (now, before)}).write(file.path)
    shutil.rmtree(gone)

    def opened(folder: Path) -> Model:
        return Model.open(Runtime.load(folder), WAY, tmp_path)

    models = Models(file, reports, opened)
    models.begin()
    assert set(models.versions) == {now} and models.aliases == {"default": now}
    assert f"nothing can be rolled back to version {before}" in capsys.readouterr().err
    assert models.reached(0) == "" and models.reached(1) is None
    State(folders=folders, aliases={"default": (before, now)}).write(file.path)
    with pytest.raises(InputError):
        Models(file, reports, opened).begin()
    # It has said that it is beginning, so that whoever changes what answers waits for it.
    assert models.reached(0) is None


def test_a_shadow_is_compared_and_tells_nobody(service: tuple[TestClient, Any], registry: Path) -> None:
    found, _ = service
    first, second, _ = Registry(registry).scan()
    assert sent(found.put("/shadow", json={"version": "v2"}))["shadow"] == second
    assert sent(found.post("/predict", content=png(colour(0))))["version"] == first
    name = f'shadow_pictures_total{{outcome="agrees",version="{second}"}}'
    for _ in range(100):
        if value(text := found.get("/metrics").text, name):
            break
    assert value(text, name) == 1
    assert value(text, f'pictures_total{{source="network",version="{second}"}}') == 0
    assert sent(found.delete("/shadow"))["shadow"] is None
    sent(found.post("/predict", content=png(colour(1))))
    assert value(found.get("/metrics").text, name) == 1


def test_only_admins_change_what_answers(registry: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.jsonl"
    alice = {"Authorization": f"Bearer {new_key(keys, 'alice', 'user')}"}
    with client(registry / "v1", registry=str(registry), keys=str(keys)) as found:
        problem(found.post("/models/rescan"), 401, "keys only")
        problem(found.put("/models/default", json={"version": "v2"}, headers=alice), 403, "alice may not")
        assert sent(found.post("/predict", content=png(colour(0)), headers=alice))["character"] == "red"
    with client(registry / "v1", registry=str(registry)) as found:
        problem(found.post("/models/rescan"), 403, "without keys")
