"""Limits of a container, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.system import machine
from animeid.system.machine import allowed_cores, core_quota, memory_limit, usable_cores


def write(root: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert core_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None
    assert usable_cores(tmp_path) == allowed_cores()


def test_version_2_takes_the_strictest_of_its_ancestors(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/job/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user/job/memory.max": "4294967296\n",
            "sys/fs/cgroup/user/memory.max": "8589934592\n",
        },
    )
    assert core_quota(tmp_path) == 1.5
    assert memory_limit(tmp_path) == 4 * 2**30


def test_version_1_within_a_container_that_sees_its_own_cgroup_as_the_top_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n",
        },
    )
    assert core_quota(tmp_path) == 3.0
    assert memory_limit(tmp_path) == 2 * 2**30


def test_version_1_without_limits(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "7:memory:/\n4:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert core_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None


@pytest.mark.parametrize(("quota", "usable"), [("50000", 1), ("250000", 2), ("9900000", 8)])
def test_usable_cores_are_whole_and_at_least_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, usable: int
) -> None:
    write(tmp_path, {"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/cpu.max": f"{quota} 100000"})
    monkeypatch.setattr(machine, "allowed_cores", lambda: 8)
    assert usable_cores(tmp_path) == usable


def test_version_1_mounted_by_the_names_of_all_its_controllers(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "150000\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
        },
    )
    assert core_quota(tmp_path) == 1.5


def test_version_2_beside_version_1(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "1:name=systemd:/x\n0::/x\n",
            "sys/fs/cgroup/unified/x/cpu.max": "200000 100000\n",
        },
    )
    assert core_quota(tmp_path) == 2.0
