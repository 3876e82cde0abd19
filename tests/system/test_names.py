"""Names and output in locales that are not UTF-8: the work is done, or the cause is said."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from animeid import train
from animeid.errors import InputError
from animeid.system.console import say, say_error, write_anything
from animeid.system.names import refuse_unreadable
from tests.small_runs import class_folders

STRICT = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""Python then reads names as ASCII."""

READ = """
from animeid.data.manifest import read_manifest
from animeid.data.settings import DataSettings
from animeid.data.sources import read_source
from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from animeid.errors import InputError
from animeid.predict import main
from pathlib import Path
import sys

for read in (
    lambda: read_source(DataSettings(root="pictures")),
    lambda: read_manifest(Path("list.csv")),
    lambda: build_cast(CastSettings(characters=2, seed=int(sys.argv[1])), Path("casts")),
):
    try:
        read()
    except InputError as error:
        print(error, file=sys.stderr)
sys.exit(main(["run=x", sys.argv[2]]))
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_name_can_be_said(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding, errors="strict") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    write_anything()
    say("ミク é")
    say_error("ミク")
    accent = rb"\xe9" if encoding == "ascii" else b"\xe9"
    assert streams[0].buffer.getvalue() == rb"\u30df\u30af " + accent + b"\n"  # type: ignore[attr-defined]
    assert streams[1].buffer.getvalue() == rb"animeid: error: \u30df\u30af" + b"\n"  # type: ignore[attr-defined]


def test_the_locale_is_named_as_the_cause(tmp_path: Path) -> None:
    class_folders(tmp_path / "pictures", {"ミク": 1, "Rin": 1})
    (tmp_path / "list.csv").write_text("path,label\npictures/ミク/0.png,ミク\n", encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-c", READ, "1", "input=pictures/ミク"],
        cwd=tmp_path,
        env={**os.environ, **STRICT, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )
    lines = found.stderr.decode().splitlines()
    assert (found.returncode, len(lines)) == (2, 4), lines
    assert all("is UTF-8, and names are read as ascii here: set PYTHONUTF8=1" in line for line in lines)
    assert r"pictures/\u30df\u30af/0.png" in lines[0]
    assert not list((tmp_path / "casts").glob("cast-*"))


def test_a_refused_argument_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    for _ in range(2):
        assert train.main(["run_id=a\udcff"]) == 2
        assert r"the name run_id=a\xff is not UTF-8" in capsys.readouterr().err
    assert dict(os.environ) == before


def test_names_of_other_encodings_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Rin", "ミク", "é"):
        refuse_unreadable(name)
    with pytest.raises(InputError, match=r"the name a\\xff is not UTF-8, so that no table can hold it: rename the"):
        refuse_unreadable("a\udcff")
    monkeypatch.setattr(os, "fsencode", lambda name: str(name).encode("latin-1"))
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    refuse_unreadable("é")
    for name in ("ミク", "ミク".encode().decode("latin-1")):
        with pytest.raises(InputError, match="the name ミク is UTF-8, and names are read as iso8859-1 here"):
            refuse_unreadable(name)
