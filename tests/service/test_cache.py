"""Answers are kept within bounds, and made once for all who ask at the same time."""

from __future__ import annotations

import asyncio

import pytest

from animeid.service.cache import Cache, Shared


def test_the_least_recently_asked_makes_room() -> None:
    cache: Cache[str] = Cache(2, 100, 10, len)
    cache.put("a", "1")
    cache.put("b", "2")
    assert cache.get("a") == "1"
    cache.put("c", "3")
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("1", None, "3")
    assert len(cache) == 2 and cache.used == 2


def test_bytes_are_bounded() -> None:
    cache: Cache[str] = Cache(10, 10, 10, len)
    cache.put("a", "x" * 6)
    cache.put("b", "x" * 4)
    cache.put("a", "x" * 3)
    assert cache.used == 7
    cache.put("c", "x" * 5)
    assert cache.get("b") is None and cache.used == 8
    cache.put("d", "x" * 11)
    assert cache.get("d") is None and cache.used == 8


def test_answers_are_forgotten() -> None:
    time = [0.0]
    cache: Cache[str] = Cache(10, 100, 5, len, now=lambda: time[0])
    cache.put("a", "1")
    time[0] = 4.9
    assert cache.get("a") == "1"
    time[0] = 5.0
    assert cache.get("a") is None and cache.used == 0 and len(cache) == 0


def test_nothing_is_kept_where_none_is_wanted() -> None:
    cache: Cache[str] = Cache(0, 100, 5, len)
    cache.put("a", "1")
    assert cache.get("a") is None


def test_work_is_shared_and_outlives_whoever_began_it() -> None:
    async def scene() -> None:
        shared: Shared[int] = Shared()
        gate, calls = asyncio.Event(), []

        async def work() -> int:
            calls.append(1)
            await gate.wait()
            return 7

        first = asyncio.ensure_future(shared.begin("a", work()))
        second = asyncio.ensure_future(shared.join("a"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.set()
        assert await second == 7 and calls == [1]
        await asyncio.sleep(0)
        assert "a" not in shared and len(shared) == 0

    asyncio.run(scene())


def test_all_who_wait_are_told_of_an_error() -> None:
    async def scene() -> None:
        shared: Shared[int] = Shared()

        async def work() -> int:
            await asyncio.sleep(0)
            raise ValueError("no")

        waiting = [asyncio.ensure_future(one) for one in (shared.begin("a", work()), shared.join("a"))]
        for one in waiting:
            with pytest.raises(ValueError, match="no"):
                await one
        assert "a" not in shared

    asyncio.run(scene())
