"""The client answers with types, and tries again only where that may help."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from animeid.service.client import Client, ServiceError
from animeid.service.schemas import Answer, Unnamed
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import client, png


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with client(rich_artefact(tmp_path_factory.mktemp("client") / "rich")) as found:
        yield found


def asking(service: TestClient, *first: int | Exception, retries: int = 4) -> tuple[Client, list[float]]:
    """A client whose first requests are refused so, or fail so; and the seconds that it waited."""
    waited: list[float] = []
    found = Client("http://localhost", retries=retries, sleep=waited.append)
    before = list(first)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if before:
            refusal = before.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            return httpx2.Response(refusal, headers={"Retry-After": "3"}, json={"detail": "later"})
        sent = service.request(request.method, str(request.url), content=request.read(), headers=dict(request.headers))
        return httpx2.Response(sent.status_code, headers=sent.headers, content=sent.content)

    found._http = httpx2.Client(base_url="http://localhost", transport=httpx2.MockTransport(answer))
    return found, waited


def test_answers_have_types(service: TestClient, tmp_path: Path) -> None:
    asked, waited = asking(service)
    with asked:
        (tmp_path / "a.png").write_bytes(png(colour(0)))
        answer = asked.predict(tmp_path / "a.png", top_k=2)
        assert isinstance(answer, Answer) and answer.character == "red" and len(answer.names) == 2
        many = list(asked.predict_many([png(colour(place % 3)) for place in range(12)] + [b"x"]))
        assert [one.character for one in many if isinstance(one, Answer)] == ["red", "green", "青"] * 4
        assert isinstance(many[12], Unnamed) and many[12].error == "not a picture"
        assert asked.models().aliases == {"default": answer.version}
        assert [one.name for one in asked.characters().characters] == ["red", "green", "青"]
        assert asked.character("青").series == "Colours" and asked.health().ready
    assert waited == []


def test_it_tries_again_what_may_succeed(service: TestClient) -> None:
    asked, waited = asking(service, 503, 429, httpx2.ConnectError("no"), httpx2.ReadTimeout("no"))
    assert asked.predict(png(colour(1))).character == "green"
    assert len(waited) == 4 and waited[0] >= 3 and waited[1] >= 3 and waited[2] < 1


def test_it_gives_up_in_the_end(service: TestClient) -> None:
    asked, waited = asking(service, *[503] * 10, retries=2)
    with pytest.raises(ServiceError, match="later") as refused:
        asked.predict(png(colour(1)))
    assert refused.value.status == 503 and len(waited) == 2
    asked, _ = asking(service, *[httpx2.ConnectError("no")] * 10, retries=2)
    with pytest.raises(httpx2.ConnectError):
        asked.health()


def test_what_will_not_succeed_is_not_tried_again(service: TestClient) -> None:
    asked, waited = asking(service)
    with pytest.raises(ServiceError, match="not a picture") as refused:
        asked.predict(b"x")
    assert refused.value.status == 422 and len(refused.value.request_id) == 16 and waited == []


def test_the_time_is_bounded() -> None:
    began = time.monotonic()
    nobody = Client("http://127.0.0.1:9", retries=1, seconds=1, sleep=lambda seconds: None)
    with nobody as asked, pytest.raises(httpx2.ConnectError):
        asked.health()
    assert time.monotonic() - began < 30
