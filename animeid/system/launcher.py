"""Rank of this process under torchrun or srun."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from animeid.errors import InputError

PORTS = range(20_000, 40_000)
"""Where the processes of a SLURM step meet, by the number of the job, so that two jobs on a node do not share one."""


@dataclass(frozen=True)
class ProcessRank:
    """One process among those that a launcher started; alone where there is no launcher.

    rank: among all. local_rank: on its node. size: of all. local_size: on each node. node: the node's number.
    address: host and port where they meet, `""` and 0 for one process.
    """

    rank: int = 0
    local_rank: int = 0
    size: int = 1
    local_size: int = 1
    node: int = 0
    address: tuple[str, int] = ("", 0)

    @property
    def nodes(self) -> int:
        return self.size // self.local_size

    def environment(self) -> dict[str, str]:
        """The variables by which torchrun tells a process its place; torch and Lightning read them."""
        return {
            "RANK": str(self.rank),
            "LOCAL_RANK": str(self.local_rank),
            "WORLD_SIZE": str(self.size),
            "LOCAL_WORLD_SIZE": str(self.local_size),
            "GROUP_RANK": str(self.node),
            "MASTER_ADDR": self.address[0],
            "MASTER_PORT": str(self.address[1]),
        }


def own_rank(environment: Mapping[str, str] = os.environ) -> ProcessRank:
    """The place of this process.

    torchrun's variables count before SLURM's. Those of SLURM count in the tasks of an `srun` only: a batch script has
    them too, and is one process whatever the number of tasks it asked for.

    Raises:
        InputError: variables are missing or not numbers, or the nodes have different numbers of processes.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        place = _from_torchrun(environment)
    elif int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        place = _from_slurm(environment)
    else:
        return ProcessRank()
    if place.size % place.local_size:
        raise InputError(
            f"{place.size} processes were started, {place.local_size} of them on this node: "
            "start equally many on every node"
        )
    return place


def refuse_launcher(what: str, instead: str) -> None:
    """For work that one process does.

    Raises:
        InputError: a launcher started several.
    """
    size = own_rank().size
    if size > 1:
        raise InputError(f"{what} is the work of one process, and a launcher started {size}: {instead}")


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "")
    if not value.isdigit():
        told = f"{name}={value} is no number" if value else f"{name} is not set"
        raise InputError(f"this process was started as one of several, and {told}: start it by torchrun or srun")
    return int(value)


def _from_torchrun(environment: Mapping[str, str]) -> ProcessRank:
    size, local_size = _number(environment, "WORLD_SIZE"), _number(environment, "LOCAL_WORLD_SIZE")
    rank = _number(environment, "RANK")
    return ProcessRank(
        rank=rank,
        local_rank=_number(environment, "LOCAL_RANK"),
        size=size,
        local_size=local_size,
        node=int(environment.get("GROUP_RANK", rank // local_size)),
        address=_address(environment) or ("127.0.0.1", _number(environment, "MASTER_PORT")),
    )


def _from_slurm(environment: Mapping[str, str]) -> ProcessRank:
    counts = environment.get("SLURM_STEP_TASKS_PER_NODE", "")
    if not re.fullmatch(r"\d+(\(x\d+\))?", counts):
        raise InputError(
            f"SLURM started {counts or 'an unknown number of'} tasks on the nodes: "
            "start equally many on every node, with --ntasks-per-node"
        )
    port = PORTS[_number(environment, "SLURM_JOB_ID") % len(PORTS)]
    return ProcessRank(
        rank=_number(environment, "SLURM_PROCID"),
        local_rank=_number(environment, "SLURM_LOCALID"),
        size=_number(environment, "SLURM_STEP_NUM_TASKS"),
        local_size=int(counts.partition("(")[0]),
        node=_number(environment, "SLURM_NODEID"),
        address=_address(environment) or (first_host(environment.get("SLURM_STEP_NODELIST", "")), port),
    )


def _address(environment: Mapping[str, str]) -> tuple[str, int] | None:
    host = environment.get("MASTER_ADDR")
    return (host, _number(environment, "MASTER_PORT")) if host else None


def first_host(nodes: str) -> str:
    """The first of SLURM's node list: `gpu[007-009,12]` begins with `gpu007`.

    Raises:
        InputError: the list is empty.
    """
    found = re.match(r"([^,\[]+)(?:\[(\d+)[^\]]*\])?([^,\[]*)", nodes)
    if found is None:
        raise InputError("SLURM_STEP_NODELIST is not set, so that the processes cannot meet: start them by srun")
    return "".join(part or "" for part in found.groups())
