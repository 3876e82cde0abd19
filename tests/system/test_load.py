"""What other programs leave of the machine, from counts as the system gives them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from animeid.system import load
from animeid.system.load import Moment, Room


def counts(*idle: float, iowait: float = 0.0) -> list[SimpleNamespace]:
    return [SimpleNamespace(idle=seconds, iowait=iowait, user=9e9) for seconds in idle]


@pytest.mark.parametrize(
    ("idle", "own", "free"),
    [
        (16.0, 0.0, 8.0),  # nobody works
        (0.0, 0.0, 0.0),  # others have everything
        (14.0, 2.0, 8.0),  # what this process uses is not taken from it
        (7.0, 2.0, 4.5),
    ],
)
def test_free_is_what_is_idle_or_ones_own(idle: float, own: float, free: float) -> None:
    assert Moment(10.0, 100.0, 5.0).free_until(Moment(12.0, 100.0 + idle, 5.0 + own)) == free


def test_cores_that_the_process_may_not_use_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load.psutil, "cpu_times", lambda percpu: counts(1, 10, 100, 1000, iowait=0.5))
    monkeypatch.setattr(load, "allowed_numbers", lambda: frozenset({1, 3}))
    assert Moment.now().idle == 1011
    monkeypatch.setattr(load, "allowed_numbers", lambda: None)
    assert Moment.now().idle == 1113
    # A container may show fewer cores than the numbers say.
    monkeypatch.setattr(load, "allowed_numbers", lambda: frozenset({40, 41}))
    assert Moment.now().idle == 1113


def test_where_nothing_can_be_counted_all_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(percpu: bool) -> None:
        raise PermissionError("/proc/stat")

    monkeypatch.setattr(load.psutil, "cpu_times", refuse)
    before = Moment.now()
    assert Room.since(before).threads == load.usable_cores()


@pytest.mark.parametrize(
    ("cores", "idle", "room"),
    [(2, 8.0, Room(2, 2.0)), (8, 8.0, Room(8, 8.0)), (8, 2.0, Room(8, 2.0)), (2, 1.0, Room(2, 1.0))],
)
def test_a_quota_bounds_what_is_free(monkeypatch: pytest.MonkeyPatch, cores: int, idle: float, room: Room) -> None:
    """Of 8 cores so many are idle, and a container allows the time of `cores`."""
    monkeypatch.setattr(load, "usable_cores", lambda root: cores)
    monkeypatch.setattr(load.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(Moment, "now", classmethod(lambda cls: cls(11.0, idle, 0.0)))
    assert Room.since(Moment(10.0, 0.0, 0.0)) == room


@pytest.mark.parametrize(
    ("room", "threads", "is_busy"),
    [
        (Room(2, 2.0), 2, False),
        (Room(2, 1.6), 2, False),  # a browser in the background
        (Room(2, 1.1), 1, True),
        (Room(2, 0.0), 1, True),
        (Room(16, 13.2), 13, True),
        (Room(1, 0.9), 1, False),
    ],
)
def test_a_thread_for_each_free_core(room: Room, threads: int, is_busy: bool) -> None:
    assert (room.threads, room.is_busy) == (threads, is_busy)
    assert room.taken == pytest.approx(room.cores - room.free)


def test_too_short_a_time_is_made_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    monkeypatch.setattr(load.time, "sleep", waited.append)
    monkeypatch.setattr(load.time, "monotonic", lambda: 10.1)
    Room.since(Moment(10.0, 0.0, 0.0))
    assert waited == [pytest.approx(load.WINDOW_S - 0.1)]
