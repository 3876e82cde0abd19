"""Pictures by address are fetched from public machines only, whatever an address says."""

from __future__ import annotations

import asyncio
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from animeid.service import fetching
from animeid.service.fetching import Fetcher, checked, is_public
from animeid.service.problems import Problem
from tests.service.serving import KEPT, client, picture
from tests.service.test_predict import problem, sent

PRIVATE_IPV4 = "127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 198.18.0.1"
PRIVATE_IPV6 = "::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 2002:7f00:1:: 2001:0:1::1"
WAYS_INSIDE = "64:ff9b:1::a00:1 fec0::1 ::7f00:1 ::ffff:0:7f00:1"
PRIVATE = [
    *PRIVATE_IPV4.split(),
    *PRIVATE_IPV6.split(),
    "255.255.255.255",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    *WAYS_INSIDE.split(),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_some(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a.png",
        "file:///etc/passwd",
        "http://user:word@example.org/",
        "http://example.org:8080/",
        "http://[::1",
        "http:///a",
        "http://exam ple.org/\r\nX: y",
        "http://例え.jp/",
        "http://example.org/" + "a" * 3000,
        "//example.org/a",
        "",
    ],
)
def test_addresses_that_are_none_of_the_webs_are_refused(url: str) -> None:
    with pytest.raises(Problem):
        checked(url)


class Hostile(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        content = picture(0)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/secret")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        try:
            if self.path == "/endless":
                while True:
                    self.wfile.write(bytes(65536))
            if self.path == "/slow":
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            self.wfile.write(content)
        except OSError:
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        self.server.hosts.append(self.headers["Host"])  # type: ignore[attr-defined]


@contextmanager
def web(patch: pytest.MonkeyPatch, resolved: Callable[[], str] = lambda: "127.0.0.1") -> Iterator[list[str]]:
    """A machine of the web: every name leads to it, and its address passes for a public one."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    server.hosts = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    real = socket.getaddrinfo

    def names(host: str, asked: object, *args: object, **more: object) -> object:
        address = resolved() if host == "example.org" else host
        return real(address, port, type=socket.SOCK_STREAM)

    patch.setattr(fetching, "PORTS", {"http": port})
    patch.setattr(socket, "getaddrinfo", names)
    patch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    try:
        yield server.hosts  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def fetched(path: str, limit: int = 10**6, seconds: float = 5.0) -> bytes:
    return asyncio.run(Fetcher(limit, seconds).fetch(f"http://example.org{path}"))


def test_a_picture_is_fetched_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(monkeypatch) as hosts:
        assert fetched("/a.png") == picture(0)
    assert hosts == ["example.org"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/redirect", 422, "status 302"),
        ("/missing", 422, "status 404"),
        ("/endless", 413, "more than 1,000,000 bytes"),
        ("/slow", 422, "within 0.5 seconds"),
    ],
)
def test_what_is_no_picture_ends_soon(monkeypatch: pytest.MonkeyPatch, path: str, status: int, words: str) -> None:
    with web(monkeypatch), pytest.raises(Problem) as refused:
        fetched(path, seconds=0.5)
    assert refused.value.status == status and words in refused.value.detail


def test_a_name_that_means_another_machine_later_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once: what it means the second time would be a private machine."""
    answers = iter(["127.0.0.1"])
    with web(monkeypatch, lambda: next(answers, "127.0.0.2")):
        assert fetched("/a.png") == picture(0)
    answers = iter(["127.0.0.2"])
    with web(monkeypatch, lambda: next(answers, "127.0.0.1")), pytest.raises(Problem, match="422") as refused:
        fetched("/a.png")
    assert "not public" in refused.value.detail


def test_addresses_are_fetched_only_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(KEPT) as found:
        problem(found.post("/predict_url", json={"url": "http://example.org/a.png"}), 403, "urls=true")
    with client(KEPT, urls=True) as found:
        problem(found.post("/predict_url", json={"url": "http://127.0.0.1:80/"}), 422, "not public")
        with web(monkeypatch):
            answer = sent(found.post("/predict_url", json={"url": "http://example.org/a.png"}))
        assert answer["names"] == sent(found.post("/predict", content=picture(0)))["names"]


def test_what_finds_no_place_is_not_fetched() -> None:
    async def scene() -> None:
        await Fetcher(10, 1.0, places=asyncio.Semaphore(0)).fetch("http://example.org/a.png")

    with pytest.raises(Problem) as refused:
        asyncio.run(scene())
    assert (refused.value.status, refused.value.retry_after) == (503, 1)
