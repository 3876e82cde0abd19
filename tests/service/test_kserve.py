"""The KServe V2 addresses answer what `/predict` answers."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service.serving import KEPT, client, picture
from tests.service.test_predict import problem, sent

VERSION = "1e2ab7865782629d"
INFER = "/v2/models/default/infer"


@pytest.fixture(scope="module")
def kept() -> Iterator[TestClient]:
    with client(KEPT) as found:
        yield found


def asked(*contents: bytes, **more: Any) -> dict[str, Any]:
    data = [base64.b64encode(content).decode() for content in contents]
    return {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [len(data)], "data": data}], **more}


def test_what_there_is_is_told(kept: TestClient) -> None:
    assert sent(kept.get("/v2/health/live"))["live"] and sent(kept.get("/v2/health/ready"))["ready"]
    assert sent(kept.get("/v2"))["name"] == "animeid"
    for path in ("/v2/models/default", f"/v2/models/default/versions/{VERSION}"):
        assert sent(kept.get(path))["versions"] == [VERSION]
        assert sent(kept.get(f"{path}/ready"))["ready"]
    problem(kept.get("/v2/models/default/versions/1"), 404, f"default is version {VERSION}")


@pytest.mark.parametrize("path", [INFER, f"/v2/models/default/versions/{VERSION}/infer"])
def test_answers_are_those_of_predict(kept: TestClient, path: str) -> None:
    contents = [picture(seed) for seed in range(3)]
    found = sent(kept.post(path, json=asked(*contents, id="mine")))
    assert (found["model_name"], found["model_version"], found["id"]) == ("default", VERSION, "mine")
    label, probability, character = found["outputs"]
    assert (label["shape"], probability["shape"], character["shape"]) == ([3, 5], [3, 5], [3, 1])
    for place, content in enumerate(contents):
        alone = sent(kept.post("/predict", content=content))
        assert label["data"][5 * place : 5 * place + 5] == [name["label"] for name in alone["names"]]
        assert probability["data"][5 * place] == alone["confidence"]
        assert character["data"][place] == alone["character"]


def test_files_may_stand_behind_the_json(kept: TestClient) -> None:
    content = picture(1)
    behind = struct.pack("<I", len(content)) + content
    size = {"parameters": {"binary_data_size": len(behind)}}
    head = json.dumps(
        {
            "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], **size}],
            "outputs": [{"name": "character"}],
        }
    ).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    found = sent(kept.post(INFER, content=head + behind, headers=headers))
    assert found["outputs"] == [sent(kept.post(INFER, json=asked(content)))["outputs"][2]]
    for broken in (head + behind[:-1], head + behind[:2], head):
        problem(kept.post(INFER, content=broken, headers=headers), 400, "no request")
    problem(kept.post(INFER, content=head, headers={"Inference-Header-Content-Length": "9999"}), 400, "not the length")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "no request"),
        ([], 400, "no request"),
        ({"inputs": [{"name": "other"}]}, 400, "no request"),
        ({"inputs": [{"name": "image", "datatype": "FP32", "shape": [1], "data": ["x"]}]}, 422, "datatype BYTES"),
        ({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [2], "data": ["x"]}]}, 422, "shape"),
        ({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["?"]}]}, 422, "base64"),
        ({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [1]}]}, 422, "base64"),
        (asked(*[b"x"] * 11), 422, "11 pictures"),
        (asked(b"x"), 422, "picture 0 cannot be used: not a picture"),
        (asked(b"x", outputs=[{"name": "masks"}]), 422, "no output masks"),
    ],
)
def test_refusals_say_why(kept: TestClient, body: Any, status: int, words: str) -> None:
    problem(kept.post(INFER, json=body), status, words)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"inputs":[' + b"[]," * 2000 + b"[]]}", {}, 422),
        (json.dumps(asked(b"a")).encode(), {"Inference-Header-Content-Length": "9" * 5000}, 400),
        (
            json.dumps(asked(b"a")).replace('"data"', '"parameters": {"binary_data_size": 1e999}, "data"').encode(),
            {},
            400,
        ),
        (json.dumps(asked(b"a", id="x", outputs=[{"name": "\ud800"}])).encode(), {}, 422),
    ],
)
def test_hostile_bodies_are_refused(kept: TestClient, body: bytes, headers: dict[str, str], status: int) -> None:
    problem(kept.post(INFER, content=body, headers=headers), status, "")


def test_half_a_letter_and_outputs_asked_for_twice_are_answered_once(kept: TestClient) -> None:
    wanted = [{"name": "label"}, {"name": "label"}]
    found = sent(kept.post(INFER, content=json.dumps(asked(picture(1), id="\ud800", outputs=wanted)).encode()))
    assert (found["id"], [output["name"] for output in found["outputs"]]) == ("?", ["label"])
