"""Answers over HTTP are those of `predict`, and what cannot be answered is refused with a reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from animeid import predict
from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CONFIG, LABELS, METRICS
from animeid.service import examples, schemas
from animeid.service.problems import MEDIA_TYPE
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import KEPT, client, picture, png


@pytest.fixture(scope="module")
def kept() -> Iterator[TestClient]:
    with client(KEPT, max_upload_mb=0.05, cache=5) as found:
        yield found


def sent(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def problem(response: Any, status: int, words: str) -> dict[str, Any]:
    found = sent(response, status)
    assert response.headers["content-type"] == MEDIA_TYPE
    assert words in found["detail"] and found["status"] == status
    assert found["request_id"] == response.headers["x-request-id"]
    return found


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_answers_equal_those_of_predict(kept: TestClient, tmp_path: Path, form: str) -> None:
    files = [tmp_path / f"{seed}.{form.lower()}" for seed in range(12)]
    for seed, file in enumerate(files):
        file.write_bytes(picture(seed, (40 + 7 * seed, 90 - 5 * seed), form))
    output = tmp_path / "names.jsonl"
    assert predict.main([f"artefact={KEPT}", f"input={tmp_path}/*.{form.lower()}", f"output={output}", "top_k=4"]) == 0
    told = {Path(line["path"]).name: line["names"] for line in map(json.loads, output.read_text().splitlines())}
    for file in files:
        found = sent(kept.post("/predict?top_k=4", content=file.read_bytes()))
        expected = told[file.name]
        assert [name["label"] for name in found["names"]] == [name["label"] for name in expected]
        # The command answers several pictures together, for which the engine adds in another order.
        assert [name["probability"] for name in found["names"]] == pytest.approx(
            [name["probability"] for name in expected], abs=1e-6
        )
        assert found["confidence"] == found["names"][0]["probability"]
        assert found["margin"] == pytest.approx(found["confidence"] - found["names"][1]["probability"])


def test_a_form_and_a_body_are_the_same_picture(kept: TestClient) -> None:
    content = picture(100)
    first = sent(kept.post("/predict", files={"file": ("../../etc/passwd", content)}))
    second = sent(kept.post("/predict", content=content, headers={"content-type": "image/png"}))
    assert (first["source"], second["source"]) == ("network", "cache")
    assert first["names"] == second["names"] and first["picture"] == second["picture"]
    assert len(first["names"]) == 5 and first["model"] == "default" and first["version"] == "1e2ab7865782629d"
    assert len(sent(kept.post("/predict?top_k=100", content=content))["names"]) == 6


def test_several_pictures_keep_their_order(kept: TestClient) -> None:
    contents = [picture(seed) for seed in (200, 201, 200)] + [b"no picture"]
    found = sent(kept.post("/predict_batch", files=[("files", ("a", content)) for content in contents]))
    alone = [sent(kept.post("/predict", content=content)) for content in contents[:3]]
    assert [one["names"] for one in found["answers"][:3]] == [one["names"] for one in alone]
    assert sorted(one["source"] for one in found["answers"][:3]) == ["network", "network", "shared"]
    assert found["answers"][3]["error"] == "not a picture"


def test_the_request_id_is_the_clients(kept: TestClient) -> None:
    content = picture(1)
    assert sent(kept.post("/predict", content=content, headers={"x-request-id": "mine-1"}))["request_id"] == "mine-1"
    own = sent(kept.post("/predict", content=content, headers={"x-request-id": "not\tmine"}))["request_id"]
    assert len(own) == 16


@pytest.mark.parametrize(
    ("status", "words", "given"),
    [
        (400, "names no boundary", {"content": b"x", "headers": {"content-type": "multipart/form-data"}}),
        (400, "damaged", {"content": b"--a\r\n", "headers": {"content-type": "multipart/form-data; boundary=a"}}),
        (413, "more than", {"content": bytes(200_000)}),
        (413, "more than", {"files": {"file": ("a", bytes(60_000))}}),
        (415, "text/html", {"content": b"x", "headers": {"content-type": "text/html"}}),
        (422, "no field file", {"files": {"other": ("a", b"x")}}),
        (422, "2 pictures", {"files": [("file", ("a", b"x")), ("file", ("b", b"x"))]}),
        (422, "not a picture", {"content": b"<html>"}),
        (422, "TIFF", {"content": picture(0, form="TIFF")}),
        (422, "empty", {"content": b""}),
        (422, "top_k", {"content": picture(0), "params": {"top_k": 0}}),
        (404, "no model of this name: ask for default", {"content": picture(0), "params": {"model": "other"}}),
    ],
)
def test_refusals_say_why(kept: TestClient, status: int, words: str, given: dict[str, Any]) -> None:
    problem(kept.post("/predict", **given), status, words)


def test_addresses_that_are_none_are_problems_too(kept: TestClient) -> None:
    problem(kept.get("/nothing"), 404, "Not Found")
    problem(kept.get("/predict"), 405, "Method Not Allowed")
    problem(kept.post("/predict_batch", files=[("files", ("a", b"x"))] * 11), 422, "11 pictures")


def test_whatever_can_be_got_can_be_asked_for_its_head(kept: TestClient) -> None:
    for path in ("/", "/health/live", "/models", "/metrics"):
        assert kept.head(path).status_code == 200
    assert kept.head("/predict").status_code == 405 and kept.head("/nothing").status_code == 404


def test_names_with_strokes_are_found(tmp_path: Path) -> None:
    folder = rich_artefact(tmp_path / "rich")
    for file in (CONFIG, LABELS, METRICS):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace('"green"', '"Fate/green?"'), encoding="utf-8")
    seal(folder)
    with client(folder) as found:
        for path in ("Fate/green%3F", "Fate%2Fgreen%3F"):
            assert sent(found.get(f"/characters/{path}"))["name"] == "Fate/green?"
        problem(found.get("/characters/Fate"), 404, "knows no character")
        assert value(found.get("/metrics").text, 'requests_total{route="/characters/{name}",status="200"}') == 2


def test_a_large_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with client(KEPT, max_pixels=1999) as small:
        problem(small.post("/predict", content=picture(0, (40, 50))), 422, "too large: 50 x 40 pixels")
        sent(small.post("/predict", content=picture(0, (40, 49))))


def test_unlikely_pictures_are_unknown_and_references_are_near(tmp_path: Path) -> None:
    folder = rich_artefact(tmp_path / "rich")
    with client(folder, unknown_below=0.9) as found:
        answers = [sent(found.post("/predict", content=png(colour(place)))) for place in range(3)]
        assert [answer["character"] for answer in answers] == ["red", "green", "青"]
        for answer in answers:
            nearest = answer["references"][0]
            assert nearest["label"] == answer["character"] and nearest["similarity"] == pytest.approx(1, abs=1e-5)
            shown = found.get(nearest["picture"])
            assert shown.headers["content-type"] == "image/jpeg" and shown.content[:2] == b"\xff\xd8"
        grey = sent(found.post("/predict", content=png(np.full((30, 40, 3), (140, 110, 90), np.uint8))))
        assert grey["character"] == "unknown" and grey["names"][0]["label"] == "red"
        content = png(np.full((30, 40, 3), (140, 110, 90), np.uint8))
        [of_batch] = sent(found.post("/predict_batch", files=[("files", ("a", content))]))["answers"]
        assert of_batch["character"] == "unknown" and of_batch["source"] == "cache"
        given = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(content).decode()]}
        outputs = sent(found.post("/v2/models/default/infer", json={"inputs": [given]}))["outputs"]
        assert {one["name"]: one["data"][0] for one in outputs}["character"] == "unknown"
        text = found.get("/metrics").text
        assert f'animeid_unknown_total{{version="{grey["version"]}"}} 3.0' in text
        assert sent(found.get("/models"))["unknown_below"] == 0.9
        problem(found.get("/models/default/references/3"), 404, "no such reference")


def test_characters_and_models_are_told(tmp_path: Path) -> None:
    with client(rich_artefact(tmp_path / "rich"), KEPT) as found:
        listed = sent(found.get("/characters?start=1&limit=1"))
        assert listed["total"] == 3 and [one["name"] for one in listed["characters"]] == ["green"]
        one = sent(found.get("/characters/青"))
        assert one["names"] == {"ja": "あか", "en": "青"} and one["series"] == "Colours" and one["judged"] == "val"
        assert one["figures"]["f1_ci"] == [0.25, 0.75]
        assert one["references"] == [f"/models/{one['version']}/references/2"]
        problem(found.get("/characters/nobody"), 404, "knows no character")
        assert sent(found.get("/characters?model=other1"))["total"] == 6
        models = sent(found.get("/models"))
        assert models["aliases"]["other1"] == "1e2ab7865782629d"
        versions = {version["version"]: version for version in models["versions"]}
        assert versions["1e2ab7865782629d"]["f1_macro_ci"] == pytest.approx([0.0078015, 0.2395579], abs=1e-7)
        by_version = sent(found.post("/predict?model=1e2ab7865782629d", content=picture(0)))
        assert by_version["version"] == "1e2ab7865782629d"


def test_health_and_metrics(kept: TestClient) -> None:
    assert sent(kept.get("/health/live")) == {"live": True}
    assert sent(kept.get("/health/ready")) == {"ready": True, "reason": ""}
    assert sent(kept.get("/health"))["models"] == {"default": "1e2ab7865782629d"}
    before = kept.get("/metrics").text
    kept.post("/predict", content=b"")
    kept.get("/some/where")
    after = kept.get("/metrics").text
    for line in ('requests_total{route="/predict",status="422"}', 'requests_total{route="other",status="404"}'):
        assert value(after, line) == value(before, line) + 1
    assert "/some/where" not in after


def value(text: str, name: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith(f"animeid_{name} ")]
    return float(lines[0].split()[-1]) if lines else 0.0


def test_openapi_has_an_example_of_every_answer(kept: TestClient) -> None:
    """Each is an answer that was sent, and has the shape that is promised."""
    described = sent(kept.get("/openapi.json"))
    assert described["info"]["title"] == "animeid"
    shapes = {name: shape for name, shape in vars(schemas).items() if isinstance(shape, type)}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v2"):
                continue  # of a protocol that others have described
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            content = good["content"].get("application/json")
            if content is None:
                assert path in ("/metrics", "/models/{model}/references/{place}")
                continue
            name = content["schema"]["$ref"].rsplit("/", 1)[1]
            whole = next(one for one in vars(examples).values() if without_nulls(one) == content["example"])
            shapes[name].model_validate_json(json.dumps(whole), strict=True, extra="forbid")
            assert method == "get" or "409" in operation["responses"] or "503" in operation["responses"]


def without_nulls(value: Any) -> Any:
    """As FastAPI writes examples."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value
