"""What a training that ends early leaves, and how to go on with it, in the sentence that ends it."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from animeid.errors import InputError, Interrupted, MachineError
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.system.checksum import is_whole
from animeid.system.console import counted
from animeid.system.faults import in_sentences
from animeid.training import resume


@contextmanager
def saying_what_is_kept(folder: RunFolder, request: Mapping[str, Any]) -> Iterator[None]:
    """Adds to the sentence of whatever ends a run what is left of it."""
    try:
        with in_sentences():
            yield
    except InputError as error:
        raise InputError("; ".join([str(error), *kept(folder, request["run_id"])])) from error
    except MachineError as error:
        raise MachineError("; ".join([str(error), *way_on(folder, request["run_id"])])) from error
    except (Interrupted, KeyboardInterrupt) as stop:
        signum = stop.signum if isinstance(stop, Interrupted) else signal.SIGINT
        raise Interrupted(signum, "; ".join(way_on(folder, request["run_id"]))) from stop


def way_on(folder: RunFolder, run_id: str | None) -> list[str]:
    """How to go on with a run that ended early and is not at fault, in a few words."""
    again = (
        f"the same command with resume=auto starts {folder.path} again" if run_id else "the same command starts anew"
    )
    return kept(folder, run_id) or [again]


def kept(folder: RunFolder, run_id: str | None) -> list[str]:
    """What a run that ended early leaves, in a few words; nothing where it has no checkpoint yet."""
    if folder.twin.last.is_file() and not folder.last.is_file():
        return [f"{folder.path} keeps what its twin has learnt, and {_again(run_id)}"]
    if not (folder.last.is_file() and is_whole(folder.last)):
        return []
    epochs, batches = resume.position(folder.last)
    more = f" and {counted(batches, 'batch')} of the next" if batches else ""
    there = f"{folder.path} keeps {counted(epochs, 'whole epoch')}{more}"
    return [f"{there}, and {_again(run_id)}"] if run_id is not None else [there, _again(run_id)]


def _again(run_id: str | None) -> str:
    goes_on = "resume=auto goes on from there"
    if run_id is not None:
        return f"the same command with {goes_on}"
    return f"moved to {OUTPUTS}/NAME, the same command with run_id=NAME {goes_on}"
