"""Injected faults: inside a child before its command, or in its files between two commands."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch

from animeid.engine.module import CharacterModule
from animeid.system.checksum import SummedStream
from experiments.faults.child import Before

Step = Callable[..., Any]


def at_call(method: str, number: int, happens: Callable[[], None]) -> Before:
    """Has something happen at the so-manieth call of a method of the module."""

    def before() -> None:
        original: Step = getattr(CharacterModule, method)
        calls = 0

        def counted(self: CharacterModule, *arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                happens()
            return original(self, *arguments)

        setattr(CharacterModule, method, counted)

    return before


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def kill_a_worker() -> None:
    """As the system does when memory runs out."""
    psutil.Process().children()[0].kill()


def nan_at(number: int) -> Before:
    """The loss of a training step becomes NaN, and with it the weights."""

    def before() -> None:
        original: Step = CharacterModule.training_step
        calls = 0

        def poisoned(self: CharacterModule, *arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            step = original(self, *arguments)
            return {**step, "loss": step["loss"] * (torch.nan if calls == number else 1)}

        CharacterModule.training_step = poisoned  # type: ignore[method-assign]

    return before


def ask_for_too_much() -> None:
    """More memory than any machine has, so that torch's own allocator refuses."""
    torch.empty(1 << 50, dtype=torch.uint8)


def fill_disk(folder: Path) -> None:
    """Writes to a file until there is no room."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as stream:
        while stream.write(bytes(1 << 16)):
            pass


def mount_small(folder: Path, mebibytes: int) -> bool:
    """A file system of its own in memory; False where this machine does not permit it."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def unmount(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


class Evil:
    """A pickle of it writes a file when it is loaded the old way."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.trace, "executed")


def plant_pickle(path: Path, trace: Path) -> None:
    """A file in torch's own format, with a right checksum, that holds code."""
    with path.open("wb") as stream:
        summed = SummedStream(stream)
        torch.save({"state_dict": {"weight": torch.zeros(2)}, "position": Evil(trace)}, summed)
        summed.close_archive()


def executes(path: Path, trace: Path) -> bool:
    """Whether a planted file is a real one: read without care it runs its code."""
    torch.load(path, weights_only=False)
    ran = trace.is_file()
    trace.unlink(missing_ok=True)
    return ran
