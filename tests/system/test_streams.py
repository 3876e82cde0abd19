"""Standard streams whose reader is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from animeid.system.streams import put


def test_what_nobody_reads_any_more_goes_nowhere() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        put("first", stream)
        assert os.read(read, 100) == b"first\n"
        os.close(read)
        put("second", stream)
        put("third", stream)
        stream.write("by another package")
        stream.flush()


def test_other_faults_of_writing_pass() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the system has no full disk to write to")
    stream = Path("/dev/full").open("w")  # noqa: SIM115
    with pytest.raises(OSError, match="No space left"):
        put("lost", stream)
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


def test_without_a_stream_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    put("nowhere", None)
    assert capsys.readouterr().out == ""
