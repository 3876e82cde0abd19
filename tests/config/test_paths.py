"""Paths on the command line: `~`, variables, and folders whose names look like numbers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from animeid.config.arguments import PATH_KEYS, as_overrides
from animeid.config.compose import compose
from animeid.config.paths import with_paths
from animeid.config.roots import request_target
from animeid.errors import InputError
from animeid.system.home import default_cache


def at(request: dict[str, Any], key: str) -> Any:
    for name in key.split("."):
        request = request[name]
    return request


PATHS = [
    ("train", "data.root", ()),
    ("train", "data.cache", ()),
    ("train", "from_run", ()),
    ("train", "model.weights", ()),
    ("train", "data.root", ("data=shards", "data.root=x")),
    ("evaluate", "run", ("run=x",)),
    ("evaluate", "data.root", ("run=x",)),
    ("predict", "run", ("run=x", "input=x")),
    ("predict", "input", ("run=x", "input=x")),
    ("predict", "output", ("run=x", "input=x")),
    ("report", "run", ()),
    ("report", "runs", ()),
    ("report", "output", ()),
    ("ensemble", "runs", ("runs=x",)),
    ("compare", "models", ("models=x", "output=x")),
    ("compare", "input", ("models=x", "output=x")),
    ("compare", "output", ("models=x", "output=x")),
    ("shard", "output", ("output=x",)),
    ("tune", "output", ()),
    ("doctor", "data.root", ()),
    ("dashboard", "output", ("entity=x",)),
]


@pytest.fixture
def asked(untried_transforms: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """What a command understands where a path is given; the home and `$PICTURES` are folders of the test."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PICTURES", str(tmp_path / "many"))
    return lambda root, key, text, *more: at(compose(root, [*more, f"{key}={text}"]), key)


@pytest.mark.parametrize(("root", "key", "more"), PATHS)
def test_every_path_understands_home_variables_and_numbers(
    asked: Callable[..., Any], tmp_path: Path, root: str, key: str, more: tuple[str, ...]
) -> None:
    request = compose(root, more)

    def understood(value: Any, text: str = "") -> Any:
        return at(
            with_paths(with_value(request, key.split("."), value), [f"++{key}={text}"], request_target(root)), key
        )

    assert understood("~/new.csv") == f"{tmp_path}/home/new.csv"
    assert understood("$PICTURES/new") == f"{tmp_path}/many/new"
    assert understood("$NOWHERE/new") == "$NOWHERE/new"
    for text, number in {"2024": 2024, "1e5": 1e5, "1_000": 1000, "1.50": 1.5}.items():
        assert understood(number, text) == text
    assert understood(7, "elsewhere=7") == "7"


def with_value(node: Any, key: list[str], value: Any) -> Any:
    return {**node, key[0]: with_value(node[key[0]], key[1:], value)} if key else value


def test_a_command_hands_on_what_it_understood(asked: Callable[..., Any], tmp_path: Path) -> None:
    assert asked("train", "data.root", "~/new") == f"{tmp_path}/home/new"
    for number in ("2024", "1e5", "7", "007"):
        assert asked("predict", "input", number, "run=x") == number


@pytest.mark.parametrize(
    "name", ["[Grp] Show", "{x}", "[Grp]", "[Grp] a, b", "{a: b}", "a [b] #c=d/name ", "Tom & Jerry's [x]", "(x)"]
)
def test_a_path_is_taken_as_it_is_written(asked: Callable[..., Any], name: str) -> None:
    assert asked("train", "data.root", name) == name
    assert asked("predict", "input", name, "run=x") == name
    assert asked("predict", "output", f"{name}/n.csv", "run=x", "input=x") == f"{name}/n.csv"


def test_a_path_that_is_there_means_itself(
    asked: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("true", "False", "a, b", "sp/~x/a,b=c [d] #e"):
        Path(name).mkdir(parents=True)
        assert asked("predict", "input", name, "run=x") == name
    new = "sp/~x/a,b=c [d] #e/name "
    assert asked("predict", "output", new, "run=x", "input=x") == new
    with pytest.raises(InputError, match="must be a path"):
        asked("predict", "input", "TRUE", "run=x")


def test_several_paths_of_a_multirun_stay_several() -> None:
    given = ["input=one,two", "input=x/[A] b,y", "input=choice(a,b)", "input='a,b'"]
    assert as_overrides(given) == ["input=one,two", "input='x/[A] b',y", "input=choice(a,b)", "input='a,b'"]


def test_every_key_that_is_a_path_is_known() -> None:
    assert {key for _, key, _ in PATHS} <= PATH_KEYS


def test_each_of_several_paths_understands_them(asked: Callable[..., Any], tmp_path: Path) -> None:
    home = f"{tmp_path}/home"
    assert asked("ensemble", "runs", "~/a/*:b:~/c") == f"{home}/a/*:b:{home}/c"
    stage = ("stage=soup", "from_run=x")
    with pytest.raises(InputError, match="there is no run folder x"):
        asked("train", "stage.runs", "~/a:~/b", *stage)


def test_what_is_there_as_it_is_written_means_itself(asked: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "~").mkdir()
    (tmp_path / "0").mkdir()
    assert asked("predict", "input", "'~'", "run=x") == "~"
    assert asked("predict", "input", "0", "run=x") == "0"


def test_a_zero_that_is_no_folder_is_no_path(asked: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match=r"data\.cache must be a path, not 0"):
        asked("train", "data.cache", "0")


def test_runs_may_be_named_as_numbers(asked: Callable[..., Any]) -> None:
    for name in ("7", "0", "1e5", "007"):
        assert asked("train", "run_id", name) == name


@pytest.mark.parametrize(
    ("given", "sentence"), [("~nouser/x", "a user that is not known"), ("~/x", "no home is known")]
)
def test_an_unknown_home_is_said(
    asked: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, given: str, sentence: str
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(InputError, match=f"input={given} begins with .*{sentence} here: write the whole path"):
        asked("predict", "input", given, "run=x")


def test_the_home_of_casts_and_of_cards_may_begin_with_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANIMEID_CACHE", "~/kept")
    assert default_cache() == tmp_path / "kept"
    assert as_overrides(["--config-dir=~/cards"]) == [f"--config-dir={tmp_path}/cards"]
