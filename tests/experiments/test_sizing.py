"""How many machines the page of sizes asks for."""

from __future__ import annotations

import os

from experiments.service.sizing import machines, on, page, share, sizes


def test_sizes_are_tried_up_to_all_cores() -> None:
    assert [sizes(cores) for cores in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]


def test_so_many_machines_are_no_busier_than_wanted_when_one_fails() -> None:
    for wanted in (1.0, 50, 199, 1000):
        count = machines(wanted, 60.0)
        assert wanted <= (count - 1) * 60 * share()
        assert count == 2 or wanted > (count - 2) * 60 * share()


def test_what_is_started_has_so_many_cores_and_the_load_has_all() -> None:
    before = os.sched_getaffinity(0)
    with on(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_page_has_both_tables() -> None:
    text = page([["1 core", "30", "1", "2", "3", "4", "5"]], {1: 30.0}, "python -m experiments.service.sizing")
    assert "| 1 core" in text and "machines of 1 core" in text and "| 1000" in text
