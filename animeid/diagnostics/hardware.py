"""Processor, memory and disk, as far as this process may use them."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from animeid.runs.folder import OUTPUTS
from animeid.system.home import default_cache
from animeid.system.machine import ROOT, allowed_cores, core_quota, memory_limit, usable_cores


@dataclass(frozen=True)
class Disk:
    """What is kept in a folder, the folder, free bytes there, and whether it can be written to."""

    what: str
    path: Path
    free: int
    is_writable: bool


@dataclass(frozen=True)
class Hardware:
    """The machine.

    cores, allowed, quota, usable: of the machine; those that the process may run on; cores' worth of time that a
        container allows, None without a limit; what results from them.
    threads: that torch starts.
    memory, memory_limit, memory_free: bytes of the machine; that a container allows, None without a limit; that are
        free, as far as the container lets them be used.
    gpus: their names.
    has_driver: whether NVIDIA's driver is there, whatever torch finds.
    """

    system: str
    processor: str
    cores: int
    allowed: int
    quota: float | None
    usable: int
    threads: int
    memory: int
    memory_limit: int | None
    memory_free: int
    gpus: tuple[str, ...]
    has_driver: bool
    disks: tuple[Disk, ...]


def look_at_hardware(root: Path = ROOT) -> Hardware:
    """Args:
    root: where `/proc` and `/sys` lie.
    """
    memory, limit = psutil.virtual_memory(), memory_limit(root)
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Hardware(
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        processor=processor(root),
        cores=os.cpu_count() or 1,
        allowed=allowed_cores(),
        quota=core_quota(root),
        usable=usable_cores(root),
        threads=torch.get_num_threads(),
        memory=memory.total,
        memory_limit=limit,
        memory_free=memory.available if limit is None else min(memory.available, limit),
        gpus=tuple(torch.cuda.get_device_name(number) for number in range(gpus)),
        has_driver=(root / "proc/driver/nvidia/version").exists(),
        disks=(look_at_disk("runs", OUTPUTS), look_at_disk("cache", default_cache())),
    )


def processor(root: Path = ROOT) -> str:
    """Its model's name, or at least its architecture."""
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def look_at_disk(what: str, path: Path) -> Disk:
    """Of a folder that need not be there yet."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return Disk(what, path, shutil.disk_usage(there).free, there.is_dir() and os.access(there, os.W_OK))
