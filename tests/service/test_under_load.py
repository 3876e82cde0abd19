"""The parts of the service's study, short: nothing is dropped, mixed up or kept for ever while many ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.service.load import Load, run
from experiments.service.parts import changes, exact, stops
from experiments.service.parts.common import Given, Row
from experiments.service.parts.memory import Mixed, resident, tree
from experiments.service.servers import service, started
from tests.service.serving import KEPT

pytestmark = pytest.mark.slow

CLIENTS = 6
REQUESTS = 1000
KEPT_BYTES = 5_000
"""Less than any body of a request: were one kept of each, it would be seen."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(artefact=KEPT, folder=tmp_path, seconds=2, minutes=0.1, pictures=320, stops=3)


def unmet(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.met is not True]


def test_different_pictures_many_at_a_time_are_answered_as_predict_does(given: Given) -> None:
    found = exact.measure(given)
    assert unmet(exact.rows(found)) == []
    # Else answers could be mixed up unseen.
    assert found["distinct"] > 0.9 * given.pictures


def test_swaps_and_rollbacks_under_load_fail_no_request(given: Given) -> None:
    found = changes.measure(given)
    assert unmet(changes.rows(found)) == []
    assert found["requests"] > 100


def test_stops_at_random_moments_drop_nothing(given: Given) -> None:
    found = stops.measure(given)
    assert unmet(stops.rows(found)) == []
    assert found["answered"] > 100


def test_memory_is_flat(given: Given) -> None:
    """After caches are full and allocators know their sizes."""
    arguments = (f"feedback={given.folder / 'feedback.jsonl'}", "cache=50")
    with started(service(KEPT, *arguments)) as server:
        sizes = []
        for seed in (1, 2):
            run(Load(server.port, Mixed(seed)).each(CLIENTS, REQUESTS))
            sizes.append(sum(map(resident, tree(server.process.pid))))
    assert sizes[1] - sizes[0] < KEPT_BYTES * REQUESTS
