"""Limits on cores and memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
UNLIMITED = 2**60
"""Version 1 writes a number of this order where it sets no limit on the memory."""


def allowed_numbers() -> frozenset[int] | None:
    """Numbers of the cores that this process may be scheduled on; None where the system does not tell."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def allowed_cores() -> int:
    """Cores that this process may be scheduled on."""
    numbers = allowed_numbers()
    return os.cpu_count() or 1 if numbers is None else len(numbers)


def usable_cores(root: Path = ROOT) -> int:
    """Cores' worth of time that this process can have, whole ones and at least one."""
    quota = core_quota(root)
    return allowed_cores() if quota is None else max(1, min(allowed_cores(), int(quota)))


def multiplies_8_bits(root: Path = ROOT) -> bool:
    """Whether the processor sums products of 8 bits in 32 (VNNI, AMX, ARM); older ones overflow 16 on the way.

    Where the system does not tell, it is taken for an older one.
    """
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    words = _words(root / "proc" / "cpuinfo")
    return any(word in ("avx512_vnni", "avx_vnni", "amx_int8") for word in words)


def core_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of time that the process's cgroups allow, the strictest of them; None without a limit.

    Args:
        root: where `/proc` and `/sys` lie.
    """
    quotas = []
    for folder in _cgroups("cpu", root):
        # Version 2 has both numbers in one file.
        words = _words(folder / "cpu.max") or _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
        if len(words) == 2 and words[0].isdigit() and int(words[1]) > 0:
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that the process's cgroups allow, the strictest of them; None without a limit."""
    limits = []
    for folder in _cgroups("memory", root):
        words = _words(folder / "memory.max") or _words(folder / "memory.limit_in_bytes")
        if words and words[0] != "max" and int(words[0]) < UNLIMITED:
            limits.append(int(words[0]))
    return min(limits, default=None)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []


def _cgroups(controller: str, root: Path) -> Iterator[Path]:
    """The folders of the process's cgroup and of all above it, of both versions; a limit may be set in any of them.

    A container may see its own cgroup as the top one, although its name is that on the host.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        parts = [part for part in Path(name).parts if part not in ("/", "..")]
        for top in _mounts(controller, controllers):
            for depth in range(len(parts), -1, -1):
                yield root.joinpath("sys/fs/cgroup", top, *parts[:depth])


def _mounts(controller: str, controllers: str) -> tuple[str, ...]:
    """Where a hierarchy may be mounted: version 1 by a controller's name or by those of all that share it, version 2 at
    the top, or beside the hierarchies of version 1."""
    return (controller, controllers) if controllers else ("", "unified")
