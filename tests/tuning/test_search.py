"""The trials of a search without any training: which there are, what a kill leaves, and whose file it is."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from PIL import Image

from animeid.errors import InputError
from animeid.system.files import write_json
from animeid.tuning import search as searches
from animeid.tuning.charts import draw_parallel
from animeid.tuning.search import FOLDER, Search
from animeid.tuning.space import read_space


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> None:
    """Charts are drawn here, and looked at."""


LINE = {"x": {"low": 0.0, "high": 1.0}}


def begun_search(path: Path, card: dict[str, Any], method: Any = "random", *, prunes: bool = False) -> Search:
    return Search(path, read_space(card), method, 0, prunes=prunes, settings={"card": card})


def values_of_all(path: Path, card: dict[str, Any], method: Any = "random", trials: int = 99) -> list[tuple[str, ...]]:
    """What is tried until nothing is left, each trial by a call of its own."""
    found = []
    while True:
        search = begun_search(path, card, method)
        with search.next(search.limit(trials)) as begun:
            if begun is None:
                return found
            found.append(tuple(begun.values.values()))
            search.study.tell(begun.trial, 0.0)


def test_a_trial_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    def search() -> Search:
        return begun_search(tmp_path / "s", LINE)

    first = search()
    with first.next(2) as killed:
        assert killed is not None
        killed.trial.report(0.25, 0)
    with search().next(2) as other:
        assert other is not None
        assert (other.folder, other.values) == (killed.folder, killed.values)
        assert other.reported == {0}
        assert first.study.trials[other.trial.number].intermediate_values == {0: 0.25}
        with search().next(2) as third:
            assert third is not None
            assert third.folder != killed.folder
            with search().next(2) as fourth:
                assert fourth is None, "those that run count"
            first.study.tell(third.trial, 0.1)
        first.study.tell(other.trial, 0.5)
    last = search()
    with last.next(2) as nothing:
        assert nothing is None
    assert [trial.value for trial in last.finished()] == [0.5, 0.1]
    assert len(last.shown()) == 2


def test_of_equal_trials_the_one_with_the_lower_loss_is_the_best(tmp_path: Path) -> None:
    """The second of them; the fourth, whose folder was deleted, stands behind them and before what is worse."""
    search = begun_search(tmp_path / "s", LINE)
    for figure, loss in ((0.8, 0.1), (0.9, 0.5), (0.9, 0.4), (0.9, None), (0.9, 0.5)):
        with search.next(9) as begun:
            assert begun is not None
            search.study.tell(begun.trial, figure)
            if loss is not None:
                (tmp_path / "s" / str(begun.folder)).mkdir()
                write_json(tmp_path / "s" / str(begun.folder) / "metrics.json", {"val": {"loss": loss}})
    assert [trial.number for trial in search.finished()] == [2, 1, 4, 3, 0]


def test_a_trial_that_ends_while_another_process_looks_is_left_alone(tmp_path: Path, monkeypatch) -> None:
    """It ends after its state was read and before its lock is looked at."""
    search, other = begun_search(tmp_path / "s", LINE), begun_search(tmp_path / "s", LINE)
    state_of = searches.state_of
    with ExitStack() as held:
        begun = held.enter_context(search.next(2))
        assert begun is not None

        def late(path: Path) -> str:
            if search.trials()[0].state == TrialState.RUNNING:
                search.study.tell(begun.trial, 0.5)
                held.close()
            return state_of(path)

        monkeypatch.setattr(searches, "state_of", late)
        with other.next(2) as following:
            assert following is not None
            assert following.values != begun.values
            other.study.tell(following.trial, 0.1)
    assert [trial.state for trial in search.trials()] == [TrialState.COMPLETE] * 2


GRID = {"a": ["x", "y"], "b": {"low": 1, "high": 3, "step": 1}}
EVERY = sorted((a, b) for a in "xy" for b in "123")


def test_a_grid_is_tried_once_whatever_the_calls(tmp_path: Path) -> None:
    assert sorted(values_of_all(tmp_path / "s", GRID, "grid")) == EVERY


def test_near_numbers_of_a_grid_are_all_tried(tmp_path: Path) -> None:
    card = {"n": {"low": 200000, "high": 200004, "step": 1}}
    assert sorted(values_of_all(tmp_path / "s", card, "grid")) == [(str(n),) for n in range(200000, 200005)]


def test_a_kill_before_a_trial_has_its_values_loses_none(tmp_path: Path) -> None:
    begun_search(tmp_path / "s", GRID, "grid").study.ask()
    assert sorted(values_of_all(tmp_path / "s", GRID, "grid")) == EVERY


def test_a_kill_while_a_trial_is_queued_again_queues_it_once(tmp_path: Path, monkeypatch) -> None:
    search = begun_search(tmp_path / "s", LINE)
    with search.next(1) as killed:
        assert killed is not None

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    second = begun_search(tmp_path / "s", LINE)
    with monkeypatch.context() as patch:
        patch.setattr(second.study, "tell", stop)
        with pytest.raises(KeyboardInterrupt), second.next(1):
            pass
    assert values_of_all(tmp_path / "s", LINE, trials=1) == [tuple(killed.values.values())]
    states = [trial.state for trial in search.study.trials]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]


def test_calls_draw_on_and_do_not_repeat(tmp_path: Path) -> None:
    assert len(set(values_of_all(tmp_path / "s", LINE, trials=4))) == 4


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_what_can_be_counted_is_not_tried_twice(method: str, tmp_path: Path) -> None:
    """Twelve trials of a space of six combinations are six."""
    assert sorted(values_of_all(tmp_path / "s", GRID, method, trials=12)) == EVERY


def test_combinations_that_no_draw_finds_are_taken_in_order(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(searches, "DRAWS", 0)
    assert values_of_all(tmp_path / "s", GRID, "random") == [(a, b) for a in "xy" for b in "123"]


def test_trials_of_others_are_waited_for(tmp_path: Path, monkeypatch, capsys) -> None:
    search, other = begun_search(tmp_path / "s", LINE), begun_search(tmp_path / "s", LINE)
    assert not search.wait()
    with other.next(1) as begun:
        assert begun is not None
        polls = []

        def a_moment(seconds: float) -> None:
            polls.append(seconds)
            if len(polls) == 2:
                other.study.tell(begun.trial, 0.5)

        monkeypatch.setattr(searches.time, "sleep", a_moment)
        assert not search.wait()
    assert len(polls) == 2
    assert capsys.readouterr().out.count("waiting for trials of other processes: 0") == 1


def test_a_trial_whose_process_dies_is_not_waited_for(tmp_path: Path) -> None:
    search = begun_search(tmp_path / "s", LINE)
    with search.next(1):
        pass
    assert search.wait()


def test_without_locks_no_trial_is_taken_from_another_process(tmp_path: Path, monkeypatch, capsys) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("animeid.system.lock.fcntl.flock", refuse)
    search, other = begun_search(tmp_path / "s", LINE), begun_search(tmp_path / "s", LINE)
    with search.next(2) as begun:
        assert begun is not None
        with other.next(2) as following:
            assert following is not None
            assert following.folder != begun.folder
            other.study.tell(following.trial, 0.5)
        monkeypatch.setattr(searches.time, "sleep", lambda _: search.study.tell(begun.trial, 0.1))
        assert not other.wait()
    told = capsys.readouterr().out
    assert "waiting for trials of other processes: 0; whether they were killed cannot be told without locks" in told
    assert told.count(f"{tmp_path / 's' / 'trials.db'} cannot be locked here (No locks available)") == 1


def test_a_trial_that_was_cut_short_is_never_the_best(tmp_path: Path) -> None:
    search = begun_search(tmp_path / "s", LINE, prunes=True)
    for number in range(6):
        with search.next(9) as begun:
            assert begun is not None
            for epoch in range(3):
                begun.trial.report(0.9 - 0.1 * number + 0.01 * epoch, epoch)
            if number < 5:
                assert not begun.trial.should_prune(), "the first ones run to their end"
                search.study.tell(begun.trial, 0.1)
            else:
                assert begun.trial.should_prune()
                search.study.tell(begun.trial, state=TrialState.PRUNED)
    assert [trial.number for trial in search.finished()] == [0, 1, 2, 3, 4]


def test_without_pruning_nothing_is_cut_short(tmp_path: Path) -> None:
    search = begun_search(tmp_path / "s", LINE)
    for number in range(7):
        with search.next(9) as begun:
            assert begun is not None
            for epoch in range(3):
                begun.trial.report(-float(number), epoch)
            assert not begun.trial.should_prune()
            search.study.tell(begun.trial, -float(number))


def foreign_study(path: Path) -> None:
    optuna.create_study(study_name="mine", storage=f"sqlite:///{path}").enqueue_trial({"x": 1})


def study_of_our_name(path: Path) -> None:
    optuna.create_study(study_name="animeid", storage=f"sqlite:///{path}").enqueue_trial({"x": 1})


def other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 99), "is no search's file"),
        (lambda path: path.write_bytes(b""), "is no search's file"),
        (other_database, "is no search's file"),
        (foreign_study, "holds a study that no search made"),
        (study_of_our_name, "holds a study that no search made"),
    ],
)
def test_a_file_of_something_else_is_left_alone(make: Any, sentence: str, tmp_path: Path) -> None:
    store = tmp_path / "s" / "trials.db"
    store.parent.mkdir()
    make(store)
    before = store.read_bytes()
    with pytest.raises(InputError, match=sentence):
        begun_search(tmp_path / "s", LINE)
    assert store.read_bytes() == before


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(InputError, match="is a file: choose another run_id"):
        begun_search(tmp_path / "s", LINE)
    assert (tmp_path / "s").read_text() == "mine"


def test_a_search_that_another_process_makes_meanwhile_is_joined(tmp_path: Path, monkeypatch) -> None:
    """Its file appears after this process has found the folder, and before it looks at what is in it."""
    folder = tmp_path / "s"
    folder.mkdir()
    iterdir = Path.iterdir

    def late(path: Path) -> Iterator[Path]:
        monkeypatch.undo()
        begun_search(folder, LINE)
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", late)
    assert begun_search(folder, LINE).trials() == []
    assert Path.iterdir is iterdir


def test_a_kill_while_a_search_is_made_leaves_a_whole_one(tmp_path: Path, monkeypatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "enqueue_trial", stop)
        with pytest.raises(KeyboardInterrupt):
            begun_search(tmp_path / "s", GRID, "grid")
    assert sorted(values_of_all(tmp_path / "s", GRID, "grid")) == EVERY


def test_the_model_that_reads_the_test_part_stays_the_same(tmp_path: Path) -> None:
    with begun_search(tmp_path / "s", LINE).judged(3) as folder:
        assert folder == 3
    with begun_search(tmp_path / "s", LINE).judged(7) as folder:
        assert folder == 3


def test_one_key_is_drawn_as_lines_too(tmp_path: Path) -> None:
    search = begun_search(tmp_path / "s", LINE)
    for figure in (0.2, 0.6, 0.9):
        with search.next(9) as begun:
            assert begun is not None
            assert begun.trial.user_attrs[FOLDER] == begun.folder
            search.study.tell(begun.trial, figure)
    draw_parallel(search.finished(), search.space, tmp_path / "parallel.png")
    pixels = np.asarray(Image.open(tmp_path / "parallel.png").convert("RGB")).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).sum() > 500, "lines have colours, axes and letters are grey"
