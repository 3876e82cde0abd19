"""A user without a home, or with one that cannot be written, goes on and is told what is not kept."""

from __future__ import annotations

import os
import pwd
import tempfile
from getpass import getuser
from pathlib import Path

import pytest

from animeid.data.cache import home as cache_home_file
from animeid.data.cache.home import cache_home
from animeid.data.synthetic import build
from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from animeid.system import home as room
from animeid.system.home import default_cache


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files; nothing of the environment that a test changes outlives it."""
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room.stand_in.cache_clear()
    cache_home_file._say_once.cache_clear()
    yield tmp_path
    room.stand_in.cache_clear()


def without_entry(uid: int) -> pwd.struct_passwd:
    raise KeyError(f"getpwuid(): uid not found: {uid}")


def test_without_a_home_a_temporary_folder_stands_in(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pwd, "getpwuid", without_entry)
    room.settle_in()
    place = temporary / f"animeid-{os.getuid()}"
    assert Path.home() == room.home() == place
    assert default_cache() == cache_home("auto") == place / ".cache" / "animeid"
    assert (place.stat().st_mode & 0o777, getuser()) == (0o700, f"user{os.getuid()}")
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "no home folder is known here" in said.err
    assert str(place) in said.err


def test_the_home_of_the_cache_is_found_without_a_command(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", without_entry)
    assert default_cache() == temporary / f"animeid-{os.getuid()}" / ".cache" / "animeid"


def test_a_folder_of_somebody_else_does_not_stand_in(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / "foreign").mkdir()
    (temporary / f"animeid-{os.getuid()}").symlink_to(temporary / "foreign")
    assert room.stand_in().parent == temporary
    assert not room.stand_in().is_symlink()


def test_a_home_that_cannot_be_written_has_no_cache_and_says_so(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ["HOME"] = "/dev/null/nobody"
    os.environ["WANDB_CACHE_DIR"] = "mine"
    room.settle_in()
    assert os.environ["HOME"] == "/dev/null/nobody"
    assert os.environ["MPLCONFIGDIR"] == str(room.stand_in() / ".config/matplotlib")
    assert os.environ["WANDB_CACHE_DIR"] == "mine"
    assert cache_home("auto") is cache_home("auto") is None
    said = capsys.readouterr().out
    assert said.count("/dev/null/nobody/.cache/animeid cannot be written: name another folder in data.cache") == 1
    assert cache_home("given") == Path("given")


def test_a_home_that_can_be_written_is_left_alone(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["HOME"] = str(temporary)
    before = dict(os.environ)
    room.settle_in()
    assert dict(os.environ) == before
    assert cache_home("auto") == temporary / ".cache" / "animeid"
    assert capsys.readouterr() == ("", "")


def test_the_cast_is_drawn_among_temporary_files_where_nothing_is_kept(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ["HOME"] = "/dev/null/nobody"
    monkeypatch.setattr(build, "_draw_into", lambda folder, *_: (folder / "drawn").touch())
    folder = build_cast(CastSettings(characters=2))
    assert folder.parent == room.stand_in()
    assert (folder / "drawn").is_file()
    assert f"the built-in cast is drawn in {room.stand_in()}" in capsys.readouterr().err
