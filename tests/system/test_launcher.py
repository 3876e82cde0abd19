"""Ranks as launchers tell them."""

from __future__ import annotations

import pytest

from animeid import evaluate
from animeid.assembly.planning import place_processes
from animeid.errors import InputError
from animeid.system.launcher import ProcessRank, first_host, own_rank

TORCHRUN = {
    "RANK": "3",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "node0",
    "MASTER_PORT": "29500",
}
SRUN = {
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NODELIST": "gpu[007-009,12]",
    "SLURM_JOB_ID": "77",
    "SLURM_NTASKS": "4",
}


def test_torchrun_and_srun_give_the_same_place() -> None:
    place = own_rank(TORCHRUN)
    assert place == ProcessRank(3, 1, 4, 2, 1, ("node0", 29500)) and place.nodes == 2
    assert place.environment() == TORCHRUN
    assert own_rank(SRUN) == ProcessRank(3, 1, 4, 2, 1, ("gpu007", 20077))
    assert own_rank(SRUN | {"MASTER_ADDR": "a", "MASTER_PORT": "1"}).address == ("a", 1)
    # A process that torchrun started inside an srun task.
    assert own_rank(SRUN | TORCHRUN) == place


def test_a_batch_script_is_one_process() -> None:
    batch = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "77"}
    assert own_rank(batch) == own_rank({}) == own_rank(SRUN | {"SLURM_STEP_NUM_TASKS": "1"}) == ProcessRank()


@pytest.mark.parametrize(
    ("nodes", "host"),
    [("gpu[007-009,12]", "gpu007"), ("a,b", "a"), ("n1", "n1"), ("x[1-2]-ib,y", "x1-ib"), ("c-3-[4,6]", "c-3-4")],
)
def test_the_first_host(nodes: str, host: str) -> None:
    assert first_host(nodes) == host


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "3"}, "4 processes were started, 3 of them on this node"),
        ({**TORCHRUN, "LOCAL_RANK": "x"}, "LOCAL_RANK=x is no number"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "LOCAL_WORLD_SIZE is not set"),
        ({**SRUN, "SLURM_STEP_TASKS_PER_NODE": "3,1"}, "SLURM started 3,1 tasks on the nodes"),
        ({**SRUN, "SLURM_STEP_NODELIST": ""}, "SLURM_STEP_NODELIST is not set"),
    ],
)
def test_what_cannot_be_is_said(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        own_rank(environment)


def test_the_plan_takes_what_was_started() -> None:
    for given in ({"devices": "auto", "num_nodes": "auto"}, {"devices": "all", "num_nodes": 2}):
        assert place_processes(given, "cpu", own_rank(TORCHRUN)) == {"devices": 2, "num_nodes": 2}
    alone = {"devices": 3, "num_nodes": "auto"}
    assert place_processes(alone, "cpu", ProcessRank()) == {"devices": 3, "num_nodes": 1}


@pytest.mark.parametrize(
    ("trainer", "environment", "sentence"),
    [
        ({"devices": 1, "num_nodes": 2}, {}, "start the same command on each by torchrun or srun"),
        ({"devices": 4, "num_nodes": "auto"}, TORCHRUN, "2 processes on each of 2 nodes were started"),
        ({"devices": "auto", "num_nodes": 3}, SRUN, "2 processes on each of 2 nodes were started"),
    ],
)
def test_other_numbers_than_were_started_are_refused(trainer, environment, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        place_processes(trainer, "cpu", own_rank(environment))


def test_other_commands_are_one_process(monkeypatch, capsys) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert evaluate.main(["run=outputs/none"]) == 2
    assert "animeid.evaluate is the work of one process, and a launcher started 4" in capsys.readouterr().err


def test_a_multirun_is_one_process(untried_transforms, monkeypatch, capsys, tmp_path) -> None:
    from animeid import train

    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert train.main(["-m", "seed=1,2"]) == 2
    assert "a multirun is the work of one process" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
