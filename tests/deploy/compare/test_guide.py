"""Which model is advised for what."""

from __future__ import annotations

from animeid.deploy.compare.figures import F1, FIGURES, MEMORY, MULTIPLY_ADDS, ONE, ONE_FILE, SIZE, THROUGHPUT, Reading
from animeid.deploy.compare.guide import Row, advise


def row(f1: float, one: float, size: float, rate: float, file: float | None = None) -> Row:
    given = {F1: f1, ONE: one, SIZE: size, THROUGHPUT: rate, ONE_FILE: file, MEMORY: 500.0, MULTIPLY_ADDS: 300.0}
    return {figure: None if given.get(figure) is None else Reading.exact(given[figure]) for figure in FIGURES}  # type: ignore[arg-type]


ROWS = [
    row(0.80, 40, 90, 30, 50),  # the best
    row(0.78, 10, 20, 90, 22),  # near enough to it
    row(0.775, 12, 9, 80, 20),
    row(0.70, 1, 1, 999, 2),  # too far behind for anything
]


def test_each_need_takes_the_best_of_those_that_are_accurate_enough() -> None:
    assert {one.need.title: one.model for one in advise(ROWS)} == {
        "best accuracy": 0,
        "web service, a picture at a time": 2,
        "server, many pictures": 1,
        "phone": 2,
    }


def test_advice_names_the_figures_that_it_rests_on() -> None:
    phone = advise(ROWS)[-1]
    assert {figure.key: measured.value for figure, measured in phone.numbers.items()} == {
        "size_mb": 9,
        "f1_macro": 0.775,
        "multiply_adds": 300,
    }
    assert phone.admitted == 3


def test_who_is_called_equal_is_named() -> None:
    wide = {**ROWS[1], F1: Reading(0.78, 0.74, 0.81)}
    assert advise([ROWS[0], wide])[0].equals == (1,)
    assert advise([ROWS[0], ROWS[1]])[0].equals == ()


def test_without_files_an_answer_from_memory_decides() -> None:
    rows = [{**one, ONE_FILE: None} for one in ROWS]
    service = advise(rows)[1]
    assert (service.figure, service.model) == (ONE, 1)


def test_one_model_is_advised_for_everything() -> None:
    assert [one.model for one in advise(ROWS[:1])] == [0, 0, 0, 0]
