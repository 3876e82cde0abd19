"""Threads of torch follow what is free, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from animeid.engine import threads
from animeid.engine.threads import Threads, fitting, own_threads, take_free_threads
from animeid.system.load import Moment, Room
from tests.small_runs import QUICK, class_folders

BUSY = "other programs use 6.0 of 8 cores; OMP_NUM_THREADS=8 takes 8 all the same"
QUOTA = "this container has the time of 2 cores; OMP_NUM_THREADS=8 takes 8 all the same"

IN_A_TRAINING = """
import json, os, sys
from matplotlib.figure import Figure
from tests.charts import blank
Figure.savefig = blank
import torch
from animeid.system import load
load.Room.since = classmethod(lambda cls, before: cls(8, 8.0))  # the machine of the test may be busy
from lightning.pytorch import Callback
from animeid.config.compose import compose
from animeid.training.run import train
from hydra import initialize_config_dir
from animeid.config.locate import conf_dir

class Count(Callback):
    found = []
    def on_train_start(self, *_): self.found.append(torch.get_num_threads())
    def on_train_end(self, *_):
        print(json.dumps([*self.found, torch.get_num_threads()]), flush=True)
        os._exit(0)  # what follows training is not looked at

with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    request = compose("train", sys.argv[1:])
train(request, callbacks=[Count()])
"""


@pytest.mark.parametrize(
    ("most", "room", "expected"),
    [
        (8, Room(8, 8.0), Threads(8)),
        (8, Room(8, 2.0), Threads(2, BUSY)),
        (8, Room(2, 2.0), Threads(2, QUOTA)),
        (4, Room(8, 6.0), Threads(4)),  # torch starts a thread for two that share a core
        (1, Room(8, 8.0), Threads(1)),
    ],
)
def test_threads_for_the_room_that_there_is(most: int, room: Room, expected: Threads) -> None:
    assert fitting(most, room) == expected


def test_what_is_chosen_is_set_said_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.CHOSEN_BY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads.Room, "since", classmethod(lambda cls, before: cls(3, 1.0)))
    outside = torch.get_num_threads()
    with own_threads():
        torch.set_num_threads(3)
        before = torch.get_num_threads()
        with own_threads():
            chosen = take_free_threads(Moment.now())
            assert torch.get_num_threads() == chosen.number == 1
            assert chosen.told == "1 thread (other programs use 2.0 of 3 cores; OMP_NUM_THREADS=3 takes 3 all the same)"
        assert torch.get_num_threads() == before == 3
    assert torch.get_num_threads() == outside


def test_a_number_that_the_user_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(threads.Room, "since", None)
    with own_threads():
        torch.set_num_threads(3)
        assert take_free_threads(Moment.now()).told == "3 threads"
        assert torch.get_num_threads() == 3


def test_a_training_that_fills_its_cache_keeps_its_threads(tmp_path: Path) -> None:
    """A thread of a pool that sets torch's number before the main thread computes sets it for the whole process."""
    class_folders(tmp_path / "pictures", {"a": 8, "b": 8})
    arguments = [*QUICK, f"data.root={tmp_path / 'pictures'}", f"data.cache={tmp_path / 'cache'}"]
    arguments = [argument for argument in arguments if argument != "data.cache=off"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ANIMEID_CACHE": str(tmp_path / "home")}
    environment.pop("OMP_NUM_THREADS", None)
    environment.pop("MKL_NUM_THREADS", None)
    environment["OMP_WAIT_POLICY"] = (
        "passive"  # on a busy machine threads that wait for one another take ten times as long
    )
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TRAINING, *arguments, "trainer.max_epochs=1", "test=false", "run_id=r"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "cache" / "pixels").rglob("*.pixels")), "no cache was filled"
    alone = "import torch; torch.ones(9) @ torch.ones(9); print(torch.get_num_threads())"
    expected = int(subprocess.check_output([sys.executable, "-c", alone], env=environment, text=True))
    assert json.loads(done.stdout.splitlines()[-1]) == [expected, expected]
    told = json.loads((tmp_path / "outputs" / "r" / "environment.json").read_text())
    assert told["hardware"]["threads"] == expected
    assert f", {Threads(expected).told}\n" in done.stdout


def test_nothing_else_sets_the_number_of_threads() -> None:
    """Loader workers, pools and baselines leave it alone; a process of its own that is only measured has its own."""
    package = Path(threads.__file__).parents[1]
    found = {path.name for path in package.rglob("*.py") if "torch.set_num_threads" in path.read_text(encoding="utf-8")}
    assert found == {"threads.py", "processes.py", "fresh.py"}
