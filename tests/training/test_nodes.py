"""Two simulated nodes over gloo on the loopback: processes that a launcher started, each with the same command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import train
from animeid.engine.processes import free_port
from animeid.runs.folder import RunFolder
from tests.small_runs import LAYER_NORM, assert_each_picture_is_answered_once, uneven_manifest

pytestmark = pytest.mark.slow

RUN = (*LAYER_NORM, "keep=all", "trainer=ddp", "trainer.accelerator=cpu", "trainer.max_epochs=2")
TORCHRUN = "torchrun"
SRUN = "srun"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return uneven_manifest(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def start(home: Path, launcher: str, arguments: Sequence[str], nodes: int = 2) -> list[subprocess.Popen[str]]:
    """The processes of simulated nodes, one on each; torchrun's are those of torchrun itself."""
    port = str(free_port())
    started = []
    for node in range(nodes):
        command, environment = ["-m", "animeid.train", *arguments], dict(os.environ)
        if launcher == TORCHRUN:
            where = ["--nnodes", str(nodes), "--node-rank", str(node), "--nproc-per-node", "1"]
            command = [
                "-m",
                "torch.distributed.run",
                *where,
                "--master-addr",
                "127.0.0.1",
                "--master-port",
                port,
                *command,
            ]
        else:
            environment |= {
                "SLURM_PROCID": str(node),
                "SLURM_LOCALID": "0",
                "SLURM_NODEID": str(node),
                "SLURM_STEP_NUM_TASKS": str(nodes),
                "SLURM_STEP_TASKS_PER_NODE": f"1(x{nodes})",
                "SLURM_STEP_NODELIST": "localhost",
                "SLURM_JOB_ID": port,
            }
        started.append(
            subprocess.Popen(
                [sys.executable, *command],
                cwd=home,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
    return started


def ended(started: Sequence[subprocess.Popen[str]], seconds: float = 500) -> list[tuple[int, str]]:
    """Exit status and output of each; none outlives the test."""
    end = time.monotonic() + seconds
    try:
        texts = [process.communicate(timeout=max(end - time.monotonic(), 1))[0] for process in started]
    finally:
        for process in started:
            process.kill()
    return [(process.returncode, text) for process, text in zip(started, texts, strict=True)]


@pytest.fixture(scope="module")
def alone(home: Path, manifest: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        arguments = [f"data.root={manifest}", "run_id=alone", *RUN, "trainer.devices=1", "data.batch_size=8"]
        assert train.main(arguments) == 0
    return RunFolder(home / "outputs" / "alone")


@pytest.fixture(scope="module")
def together(home: Path, manifest: Path) -> RunFolder:
    arguments = [f"data.root={manifest}", *RUN, "trainer.num_nodes=2", "data.batch_size=4"]
    (status, first), (other, second) = ended(start(home, TORCHRUN, arguments))
    assert (status, other) == (0, 0), first + second
    # No run_id was given: the first process chose the folder, and the other one made none.
    folders = [path for path in (home / "outputs").glob("*-*-*/*") if path.is_dir()]
    assert len(folders) == 1 and f"run folder: outputs/{folders[0].parent.name}/{folders[0].name}" in first
    assert "run folder" not in second
    return RunFolder(folders[0])


def test_two_nodes_train_as_one_process_does(alone: RunFolder, together: RunFolder) -> None:
    one, two = (torch.load(folder.last, weights_only=True)["state_dict"] for folder in (alone, together))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)
    first, second = (pd.read_csv(folder.history) for folder in (alone, together))
    for name in ("val/acc_micro", "val/f1_macro", "val/loss", "train/loss"):
        np.testing.assert_allclose(first[name], second[name], atol=1e-4)


def test_every_picture_is_answered_once(together: RunFolder, home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    assert_each_picture_is_answered_once(together)


def test_tasks_of_srun_go_on_with_a_run_after_sigterm(home: Path, manifest: Path, alone: RunFolder) -> None:
    arguments = [f"data.root={manifest}", "run_id=srun", "resume=auto", *RUN, "data.batch_size=4"]
    long = [*arguments, "trainer.max_epochs=400"]
    started = start(home, SRUN, long)
    folder = RunFolder(home / "outputs" / "srun")
    until(lambda: folder.last.is_file(), started)
    started[1].send_signal(signal.SIGTERM)  # one node is told, and all leave at the same step
    (status, first), (other, second) = ended(started)
    assert (status, other) == (143, 143), first + second
    assert folder.last.is_file() and not folder.is_finished
    epochs = len(pd.read_csv(folder.history))
    started = start(home, SRUN, long)
    until(lambda: len(pd.read_csv(folder.history)) > epochs, started)
    for process in started:
        process.send_signal(signal.SIGTERM)
    (status, first), (other, second) = ended(started)
    assert (status, other) == (143, 143), first + second
    assert "going on with outputs/srun" in first and "going on" not in second
    (status, first), *_ = ended(start(home, SRUN, long, nodes=3))
    assert status == 2 and "was begun with 1 processes on each of 2 nodes" in first


def test_bad_input_ends_all_nodes_with_its_sentence(home: Path, manifest: Path) -> None:
    arguments = [f"data.root={manifest}", "run_id=steep", *RUN, "data.batch_size=4", "callbacks.patience=1"]
    (status, first), (other, second) = ended(start(home, SRUN, [*arguments, "data.folds=2", "data.fold=7"]))
    assert (status, other) == (2, 1)
    assert "data.fold=7" in first and "process 0 of the run failed" in second and "data.fold=7" in second
    assert "Traceback" not in first + second


def test_a_node_that_dies_ends_the_other_one(home: Path, manifest: Path) -> None:
    arguments = [f"data.root={manifest}", "run_id=dies", *RUN, "data.batch_size=4", "trainer.max_epochs=400"]
    started = start(home, SRUN, arguments)
    until(lambda: RunFolder(home / "outputs" / "dies").last.is_file(), started)
    started[1].kill()
    began = time.monotonic()
    (status, first), _ = ended(started, 60)
    assert status == 1 and time.monotonic() - began < 60
    assert "the connection to another process of the run was lost" in first and "Traceback" not in first


def test_a_folder_that_does_not_appear_is_said(tmp_path: Path) -> None:
    from animeid.errors import InputError
    from animeid.training.workers import await_plan

    with pytest.raises(InputError, match="a file system that all nodes share"):
        await_plan(RunFolder(tmp_path / "run"), "0", seconds=0.1)


def until(is_so, started: Sequence[subprocess.Popen[str]], seconds: float = 400) -> None:
    """Waits; fails with what the processes printed when they end or it takes too long."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end or any(process.poll() is not None for process in started):
            pytest.fail("\n".join(text for _, text in ended(started, 20)))
        time.sleep(0.2)
