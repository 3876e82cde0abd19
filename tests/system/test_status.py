"""What a command's exit status is, and what is said, by what ended it."""

from __future__ import annotations

import pytest

from animeid.errors import InputError, Interrupted, MachineError
from animeid.system.status import status_of

ENDS = [
    (InputError("no such folder: give one"), 2, "no such folder: give one", "no such folder: give one"),
    (MachineError("the disk is full"), 1, "the disk is full", "the disk is full"),
    (OSError(28, "no space"), 1, "the disk is full", "the disk is full"),
    (KeyboardInterrupt(), 130, "interrupted: begin again", ""),
    (Interrupted(15), 143, "stopped by a signal: begin again", ""),
    (Interrupted(15, "it goes on"), 143, "stopped by a signal: it goes on", "stopped by a signal: it goes on"),
]


@pytest.mark.parametrize(("error", "status", "told", "silent"), ENDS, ids=lambda value: type(value).__name__)
def test_what_ends_a_command_is_its_status_and_one_sentence(
    error: BaseException, status: int, told: str, silent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert status_of(work, "begin again") == status
    assert told in capsys.readouterr().err
    assert status_of(work) == status
    assert silent in (said := capsys.readouterr().err)
    assert bool(said) == bool(silent)


def test_a_result_passes_and_so_does_a_bug() -> None:
    assert status_of(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        status_of(lambda: 1 // 0)
