"""The study of the service: what it asks, how it judges, and what its page says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from animeid.errors import InputError
from animeid.system.files import write_json
from experiments.service import study
from experiments.service.corpus import hostile
from experiments.service.load import Load, run
from experiments.service.parts import changes, memory, overload, stops
from experiments.service.parts.exact import are_equal
from experiments.service.pictures import Pictures

STOPPED = {"stops": 50, "answered": 1000, "others": 0, "dropped": 0, "bad_ends": 0}


def answered(said: bytes | None) -> Load:
    """A load that asks a server which says this and closes; None is one that says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if said is not None:
            writer.write(said)
            await writer.drain()
        writer.close()

    async def asked() -> Load:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            load = Load(server.sockets[0].getsockname()[1], Pictures(0))
            await load.each(2, 6)
        return load

    return run(asked())


@pytest.mark.parametrize(
    ("said", "statuses", "dropped"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", {200: 6}, 0),
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno", {400: 6}, 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", {}, 6),
        (None, {}, 6),
    ],
)
def test_every_request_is_answered_or_dropped(said: bytes | None, statuses: dict[int, int], dropped: int) -> None:
    found = answered(said).found
    assert {status: len(times) for status, times in found.times.items()} == statuses
    assert found.dropped == dropped


@pytest.mark.parametrize("first", [changes.FIRST, changes.SECOND])
def test_each_swap_and_each_rollback_changes_what_answers(first: str) -> None:
    now, before, asked = first, "", changes.changes(first)
    for name in asked:
        now, before = (before if name is None else name), now
        assert now in (changes.FIRST, changes.SECOND) and now != before
    assert asked.count(None) == changes.ROLLBACKS and len(asked) == changes.SWAPS + changes.ROLLBACKS


def test_a_service_that_listens_no_more_has_dropped_nothing() -> None:
    found = run(Load(1, Pictures(0)).each(2, 6))
    assert found.dropped == 0 and found.lost.total() == 2


def test_pictures_all_differ() -> None:
    pictures = Pictures(0)
    assert len({pictures()[0] for _ in range(50)}) == 50


def test_the_slope_is_that_of_the_line() -> None:
    times = [float(second) for second in range(2000)]
    noise = np.random.default_rng(0).normal(0, 5, 2000)
    grows = [200 + 36 * moment / 3600 + own for moment, own in zip(times, noise, strict=True)]
    value, low, high = memory.slope(times, grows)
    assert low < 36 < high and low > 0 and value == pytest.approx(36, abs=10)
    flat = memory.slope(times, [200 + own for own in noise.tolist()])
    assert flat[1] < 0 < flat[2]


def test_a_target_is_met_or_not() -> None:
    assert [row.met for row in stops.rows(STOPPED)] == [True, True]
    assert [row.met for row in stops.rows({**STOPPED, "dropped": 1, "bad_ends": 1})] == [False, False]
    found = {"highest": 100.0, "offered": 500.0, "good": 84.9, "refused_p99_ms": 49.0, "core": 0.1}
    rows = overload.rows({**found, "others": {"500": 1}, "lost": {}})
    assert [row.met for row in rows] == [False, True, False]


def test_answers_are_equal_but_for_rounding() -> None:
    one = {"a": 0.6, "b": 0.4}
    assert are_equal(one, {"b": 0.400001, "a": 0.599999})
    assert not are_equal(one, {"a": 0.6001, "b": 0.3999})
    assert not are_equal(one, {"a": 0.6, "c": 0.4})


@pytest.mark.slow
def test_the_corpus_is_large() -> None:
    requests = hostile(0)
    assert len(requests) > 1000 and len({name for name, _ in requests}) == len(requests)
    assert all(request.startswith(b"POST ") for _, request in requests)


def test_the_page_is_written_of_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    assert "Not measured yet: rates, page," in study.page()
    took = {"command": "python -m some", "environment": "2 cores", "date": "2026-11-29", "minutes": 1.0}
    write_json(tmp_path / "stops.json", {"found": STOPPED, **took})
    page = study.page()
    assert "| SIGTERM at 50 random moments under 16 clients: dropped requests | 0 | 0 of 1,000 | yes |" in page
    assert "hostile.\n" in page and "`python -m some` writes" in page


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(InputError, match=r"no part 'rate'.*rates"):
        study.main(["only=rate"])
    with pytest.raises(InputError, match=r"no key 'minute'.*minutes"):
        study.keys_of(["minute=3"])
    with pytest.raises(InputError, match="must be a number"):
        study.keys_of(["minutes=long"])
