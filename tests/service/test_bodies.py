"""Memory for bodies: large ones that stall leave room for small ones."""

from __future__ import annotations

import pytest

from animeid.service.bodies import LARGE, Memory
from animeid.service.problems import Problem


def test_a_quarter_is_for_small_bodies() -> None:
    memory = Memory(8 * LARGE)
    with memory.taken() as large, memory.taken() as small:
        for _ in range(6):
            large.add(LARGE)
        with pytest.raises(Problem) as refused:
            large.add(1)
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        small.add(LARGE)
        assert memory.used == 7 * LARGE
        with pytest.raises(Problem):
            small.add(1)
    assert memory.used == 0
