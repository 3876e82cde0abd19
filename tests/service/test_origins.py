"""A page of another place neither reads what the service answers nor has it do anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.service.arguments import request_of
from animeid.service.origins import Origins
from animeid.service.problems import Problem
from tests.service.serving import KEPT, client, picture
from tests.service.test_predict import sent

HERE = "127.0.0.1:8000"
OURS = ("localhost", "LOCALHOST:8000", "a.localhost", "localhost.:80", HERE, "[::1]:8000", "192.168.1.7:80") + (
    "anime.example.org",
    "Anime.Example.org:443",
)
OTHERS = ("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost") + (
    "[",
    "a@b",
    ":80",
)


def status(origins: Origins, method: str = "GET", **headers: str) -> int:
    """What a request is refused with; 200 where it is not."""
    try:
        origins.check(method, {name.replace("_", "-"): text for name, text in headers.items()})
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize("host", OURS)
def test_names_of_this_machine_and_given_ones_are_answered(host: str) -> None:
    assert status(Origins.of("127.0.0.1", "anime.example.org,other"), host=host) == 200


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_are_refused_where_only_this_machine_can_ask(host: str) -> None:
    for address in ("127.0.0.1", "::1", "localhost"):
        assert status(Origins.of(address, None), host=host) == 421
    assert status(Origins.of("0.0.0.0", "anime.example.org"), host=host) == 421
    assert status(Origins.of("0.0.0.0", None), host=host) == 200
    assert status(Origins.of("127.0.0.1", None)) == 200  # HTTP/1.0, which no browser speaks


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),  # curl, or a client of ours
        ({"sec_fetch_site": "same-origin", "origin": f"http://{HERE}"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec_fetch_site": "same-site", "origin": "http://127.0.0.1:3000"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "cross-site", "origin": "https://anime.example.org"}, 200),
        ({"origin": f"http://{HERE}"}, 200),
        ({"origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_pages_of_other_places_change_nothing(headers: Mapping[str, str], expected: int) -> None:
    origins = Origins.of("127.0.0.1", "anime.example.org")
    assert {status(origins, method, host=HERE, **headers) for method in ("POST", "PUT", "DELETE")} == {expected}
    assert status(origins, "GET", host=HERE, **headers) == 200  # it cannot be read, for nothing allows it


def test_a_proxy_may_ask_by_another_name_than_the_browser() -> None:
    origins = Origins.of("0.0.0.0", None)
    assert status(origins, "POST", host="upstream:8000", origin="http://anime.lan") == 200
    assert status(origins, "POST", host="upstream:8000", origin="https://a.b", sec_fetch_site="same-origin") == 200
    assert status(origins, "POST", host="upstream:8000", origin="https://evil", sec_fetch_site="cross-site") == 403


@pytest.mark.parametrize("host", ["192.168.1.7:8000", "127.0.0.1:8000", "[::1]:8000", "localhost:8000"])
def test_without_what_a_browser_says_of_itself_the_origin_counts_where_no_proxy_named_the_service(host: str) -> None:
    origins = Origins.of("0.0.0.0", None)
    for origin in ("http://evil.example", "null", "http://192.168.1.7:3000"):
        assert status(origins, "POST", host=host, origin=origin) == 403
    assert status(origins, "POST", host=host, origin=f"http://{host}") == 200
    assert status(origins, "POST", host=host) == 200
    assert status(Origins.of("0.0.0.0", "anime.lan"), "POST", host=host, origin="http://anime.lan") == 200


def test_every_address_is_behind_it(tmp_path: Path) -> None:
    with client(KEPT, feedback=str(tmp_path / "feedback.jsonl")) as found:
        away = {"Host": "evil.example"}
        for path in ("/", "/watch", "/health/live", "/metrics", "/models", "/v2", "/openapi.json", "/nothing"):
            refusal = sent(found.get(path, headers=away), 421)
            assert refusal["detail"].startswith("this is not evil.example: ask localhost")
        page = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        for path in ("/predict?consent=true", "/predict_batch", "/feedback", "/v2/models/default/infer"):
            assert "hosts=NAME" in sent(found.post(path, content=picture(1), headers=page), 403)["detail"]
        assert sent(found.post("/predict", content=picture(1)))["character"]
        assert not (tmp_path / "feedback.jsonl").exists()


def test_openapi_tells_of_both_refusals() -> None:
    with client(KEPT) as found:
        addresses = found.get("/openapi.json").json()["paths"]
    changing = {
        f"{method} {path}": set(told["responses"])
        for path, methods in addresses.items()
        for method, told in methods.items()
        if method not in ("get", "head")
    }
    assert len(changing) >= 6
    assert {path for path, told in changing.items() if not {"403", "421"} <= told} == set()


def test_names_of_hosts_are_read() -> None:
    assert request_of(["artefact=a", "hosts=a.example,b-c.example"]).hosts == "a.example,b-c.example"
    for text in ("", "https://a.example", "a.example,", "*"):
        with pytest.raises(InputError, match="hosts must be names of hosts, with commas"):
            request_of(["artefact=a", f"hosts={text}"])
