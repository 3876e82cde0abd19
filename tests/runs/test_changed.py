"""Pictures of a run whose files were replaced, or are gone: told once, by the cause."""

from __future__ import annotations

import os
import shutil
import time
from hashlib import sha256
from pathlib import Path

import pytest

from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.inference.labelled import own_pictures
from animeid.runs.folder import RunFolder
from animeid.training.resume import changed_since
from tests.runs.fake_runs import fake_manifest, fake_run

TOLD = "WARNING: 1 file is not what the run was made with, so that other figures will come out: g.png"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run on files whose content it knows; `g.png` is of its validation part."""
    monkeypatch.chdir(tmp_path)
    known = fake_manifest(tmp_path / "pictures")
    known.root.mkdir()
    for path in known.table["path"]:
        (known.root / path).write_text(path)
    sums = [sha256(path.encode()).hexdigest() for path in known.table["path"]]
    return fake_run(Path("outputs/run"), Manifest(known.table.assign(sha256=sums), known.root))


def test_a_picture_that_was_replaced_is_told_when_a_run_goes_on_as_in_evaluation(run: RunFolder) -> None:
    assert changed_since(run) == []
    time.sleep(0.05)  # longer than a tick of the file system's clock
    before = Path("pictures/g.png").stat()
    Path("pictures/g.png").write_text("another")
    os.utime("pictures/g.png", ns=(before.st_atime_ns, before.st_mtime_ns))  # as copying tools do
    assert changed_since(run) == [TOLD]
    assert own_pictures(run, "val").notes == (TOLD,)
    assert own_pictures(run, "test").notes == ()


def test_only_files_that_were_put_there_later_are_read(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr("animeid.runs.changed.content_of", lambda path: read.append(path.name) or "")
    time.sleep(0.05)
    os.utime("pictures/b.png")
    changed_since(run)
    assert read == ["b.png"]


def test_pictures_that_are_gone_are_refused_and_not_called_changed(run: RunFolder) -> None:
    shutil.move("pictures", "elsewhere")
    with pytest.raises(InputError, match=r"^3 pictures of the run outputs/run cannot be found, such as .*/g\.png"):
        own_pictures(run, "val")
