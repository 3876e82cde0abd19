"""Nothing is lost: damaged and missing files, full disks, dead processes and numbers that are none."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from animeid import evaluate, predict, train
from animeid.config.command import command
from animeid.config.freeze import read_plan
from animeid.engine import checkpoint_io
from animeid.engine.callbacks import finite
from animeid.engine.checkpoint_io import AtomicCheckpointIO
from animeid.engine.module import CharacterModule
from animeid.errors import InputError, Interrupted, MachineError
from animeid.runs.folder import RunFolder
from animeid.system.checksum import SummedStream, is_whole
from animeid.system.faults import explained
from animeid.system.files import atomic, read_yaml, remove_strays, write_yaml
from animeid.training.resume import position
from animeid.training.run import saying_what_is_kept
from tests.small_runs import class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

ROOT = Path(__file__).resolve().parents[2]
RUN = (
    "recipe=none",
    "keep=all",
    "model.name=test_resnet.r160_in1k",
    "model.pretrained=false",
    "data.image_size=32",
    "data.num_workers=0",
    "data.cache=off",
    "data.batch_size=4",
    "data.test_ratio=0.2",
    "data.val_ratio=0.2",
    "trainer.max_epochs=3",
    "augment=basic",
)


def save(path: Path, epoch: int) -> None:
    AtomicCheckpointIO({path: path.with_name("previous.ckpt")}).save_checkpoint({"epoch": torch.tensor(epoch)}, path)


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    save(path, 1)
    data = path.read_bytes()
    assert is_whole(path)
    assert torch.load(path, weights_only=True, mmap=True) == {"epoch": torch.tensor(1)}
    damaged = [data[:place] + bytes([byte ^ 1 << place % 8]) + data[place + 1 :] for place, byte in enumerate(data)]
    for content in [*damaged, *(data[:length] for length in range(0, len(data), 7)), data[:-1], data + b"\0"]:
        path.write_bytes(content)
        assert not is_whole(path)


def test_the_sum_is_that_of_the_bytes_before_the_comment_however_they_come(tmp_path: Path) -> None:
    data = bytes(range(200))
    for pieces in ([1] * 200, [200], [3, 0, 1, 1, 195]):
        stream = io.BytesIO()
        summed, place = SummedStream(stream), 0
        for size in pieces:
            assert summed.write(data[place : place + size]) == size
            place += size
        summed.close_archive()
        comment = b"animeid sha256 " + hashlib.sha256(data[:-2]).hexdigest().encode()
        assert stream.getvalue() == data[:-2] + struct.pack("<H", len(comment)) + comment


def test_a_checkpoint_without_a_sum_is_judged_by_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"weight": torch.arange(1000.0)}, path)
    assert is_whole(path)
    data = bytearray(path.read_bytes())
    data[data.index(np.float32(500).tobytes())] ^= 1
    path.write_bytes(data)
    assert not is_whole(path)


def test_the_checkpoint_before_the_last_is_kept_and_no_more(tmp_path: Path) -> None:
    for epoch in range(4):
        save(tmp_path / "last.ckpt", epoch)
    found = {path.name: int(torch.load(path, weights_only=True)["epoch"]) for path in tmp_path.iterdir()}
    assert found == {"last.ckpt": 3, "previous.ckpt": 2}


def test_a_full_disk_leaves_the_checkpoints_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch hides the reason behind an error of its own."""
    path = tmp_path / "last.ckpt"
    save(path, 0)
    save(path, 1)

    class FullStream(checkpoint_io.SummedStream):
        def write(self, data) -> int:
            self.stream = self
            self.error = OSError(errno.ENOSPC, "No space left on device")
            raise self.error

    monkeypatch.setattr(checkpoint_io, "SummedStream", FullStream)
    with pytest.raises(OSError, match="No space left"):
        save(path, 2)
    monkeypatch.undo()
    found = {path.name: int(torch.load(path, weights_only=True)["epoch"]) for path in tmp_path.iterdir()}
    assert found == {"last.ckpt": 1, "previous.ckpt": 0}


def test_a_file_that_finds_no_room_is_named(tmp_path: Path) -> None:
    """The system tells of a write that failed a number only."""
    code = (
        "import resource, sys; from pathlib import Path; from animeid.system.files import atomic\n"
        "from animeid.system.faults import explained\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n  with atomic(Path(sys.argv[1])) as stream: stream.write(bytes(2000))\n"
        "except OSError as error: print(explained(error))"
    )
    path = tmp_path / "last.ckpt"
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert f"a file would be larger than files may be here ({path}): raise the limit of this process" in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("run_id", "way_on"),
    [("mine", "the same command with resume=auto starts {} again"), (None, "the same command starts anew")],
)
def test_a_fault_before_the_first_checkpoint_says_how_to_go_on(run_id: str | None, way_on: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "mine")
    folder.create()
    told = f"free some space; {way_on.format(folder.path)}$"
    with pytest.raises(MachineError, match=told), saying_what_is_kept(folder, {"run_id": run_id}):
        raise OSError(errno.ENOSPC, "No space left on device", "last.ckpt")
    with pytest.raises(Interrupted) as stopped, saying_what_is_kept(folder, {"run_id": run_id}):
        raise KeyboardInterrupt
    assert stopped.value.way_on == way_on.format(folder.path)


def test_strays_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    dead = tmp_path / "checkpoints" / ".last.ckpt.77.tmp"
    dead.parent.mkdir()
    dead.write_text("half")
    with atomic(tmp_path / "metrics.json") as stream:
        stream.write(b"half")
        program = (
            "import sys, pathlib; from animeid.system.files import remove_strays as r; r(pathlib.Path(sys.argv[1]))"
        )
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert not dead.exists()
        assert len(list(tmp_path.glob(".metrics.json.*.tmp"))) == 1
    remove_strays(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "metrics.json"]


@pytest.mark.parametrize(
    "files", [[], ["request.yaml"], ["request.yaml", "config.yaml", "manifest.parquet", "labels.json"]]
)
def test_a_folder_whose_run_was_killed_at_once_is_cleared(files: list[str], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    for name in [*files, ".skipped.csv.77.tmp"]:
        (folder.path / name).write_text("x")
    folder.clear_start()
    folder.create()


@pytest.mark.parametrize("name", ["notes.txt", "environment.json", "checkpoints/last.ckpt"])
def test_a_folder_with_anything_else_is_left_alone(name: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.config.write_text("x")
    folder.labels.write_text("x")
    (folder.path / name).write_text("x")
    folder.clear_start()
    assert folder.config.is_file()
    assert (folder.path / name).is_file()


def allocation_failure() -> Exception:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8)
    return caught.value


class Suicidal(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return index


NO_ROOM = (
    "Caught RuntimeError in DataLoader worker process 0.\nunable to allocate shared memory(shm) for file "
    "</torch_7_1>: No space left on device (28)"
)
BUS_ERROR = "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are ..."


def dead_worker() -> Exception:
    with pytest.raises(RuntimeError) as caught:
        next(iter(torch.utils.data.DataLoader(Suicidal(), num_workers=1)))
    return caught.value


def test_a_working_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for module, arguments in ((train, []), (predict, ["run=x", "input=y"])):
        assert module.main(arguments) == 2
        told = capsys.readouterr().err
        assert "animeid: error: the folder that this was started in is gone: change to one that is there" in told


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (lambda: OSError(errno.ENOSPC, "No space left on device", "x.npy"), MachineError, r"disk is full \(x.npy\)"),
        (lambda: OSError(errno.EFBIG, "File too large", "last.ckpt"), MachineError, r"\(last.ckpt\): .*`ulimit -f`"),
        (lambda: OSError(errno.EDQUOT, "Disk quota exceeded"), MachineError, "the disk quota is used up: free"),
        (lambda: OSError(errno.EACCES, "Permission denied"), None, ""),
        (allocation_failure, InputError, "lower data.batch_size"),
        (lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), InputError, "data.image_size"),
        (MemoryError, InputError, "does not fit"),
        (dead_worker, MachineError, "lower data.num_workers"),
        (lambda: RuntimeError(NO_ROOM), MachineError, "take data.num_workers=0"),
        (lambda: RuntimeError(BUS_ERROR), MachineError, r"docker run --shm-size=1g"),
        (lambda: RuntimeError("a bug"), None, ""),
    ],
)
def test_faults_are_told_from_bugs(make: Callable[[], Exception], kind: type | None, sentence: str) -> None:
    found = explained(make())
    assert type(found) is (kind or type(None))
    assert re.search(sentence, str(found))


def test_a_fault_of_the_machine_is_one_sentence_and_status_1(untried_transforms, capsys) -> None:
    def work(request) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "metrics.json")

    assert command("train", work)([]) == 1
    error = capsys.readouterr().err
    assert error.startswith("animeid: error: the disk is full (metrics.json)")
    assert "Traceback" not in error


def test_sigterm_ends_any_command_with_status_143(untried_transforms, capsys) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert command("evaluate", lambda request: signal.raise_signal(signal.SIGTERM))(["run=x"]) == 143
    assert capsys.readouterr().err == "animeid: error: stopped by a signal: the same command starts again\n"
    assert signal.getsignal(signal.SIGTERM) is before


# Runs


def at_step(monkeypatch: pytest.MonkeyPatch, number: int, happens: Callable[[], float | None]) -> None:
    """Has something happen before a training step; the loss is multiplied by what it returns, if anything."""
    original, calls = CharacterModule.training_step, 0

    def counted(self: CharacterModule, batch, batch_idx):
        nonlocal calls
        calls += 1
        factor = happens() if calls == number else None
        step = original(self, batch, batch_idx)
        return step if factor is None else {**step, "loss": step["loss"] * factor}

    monkeypatch.setattr(CharacterModule, "training_step", counted)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the run `straight`, and `cut`, which a signal ended after 8 of its 15 steps."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", {"ミク": 13, "other": 17})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert run("straight") == 0
        at_step(patch, 8, terminate)
        assert run("cut") == 143
    return home


def run(name: str, *more: str) -> int:
    return train.main(["data.root=pictures", *RUN, f"run_id={name}", "resume=auto", *more])


@pytest.fixture
def cut(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy of the run that was cut off, to be gone on with."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").symlink_to(home / "pictures")
    shutil.copytree(home / "outputs" / "cut", tmp_path / "outputs" / "cut")
    return RunFolder(Path("outputs/cut"))


def assert_equals_straight(folder: RunFolder, home: Path) -> None:
    from experiments.faults.compare import differences

    assert differences(RunFolder(home / "outputs" / "straight"), folder) == []
    assert not list(folder.path.rglob(".*.tmp"))


@pytest.mark.parametrize("lost", ["damaged", "between two moves"])
def test_the_checkpoint_before_takes_the_place_of_the_last(lost: str, cut: RunFolder, home: Path, capsys) -> None:
    if lost == "damaged":
        cut.last.write_bytes(cut.last.read_bytes()[:-100])
    else:
        cut.last.unlink()
    (cut.checkpoints / ".last.ckpt.77.tmp").write_text("half")
    assert run("cut", "resume=must") == 0
    assert ("last.ckpt is damaged" in capsys.readouterr().out) == (lost == "damaged")
    assert_equals_straight(cut, home)


def test_when_every_checkpoint_is_damaged_nothing_is_done(cut: RunFolder, capsys) -> None:
    for path in (cut.last, cut.previous):
        path.write_bytes(path.read_bytes()[:-1])
    assert run("cut") == 2
    assert "every checkpoint to go on from" in capsys.readouterr().err
    assert cut.last.is_file()


def test_a_lost_best_checkpoint_is_told_and_replaced(cut: RunFolder, home: Path, capsys) -> None:
    cut.best.write_bytes(b"PK" + cut.best.read_bytes()[2:-9])
    assert run("cut") == 0
    assert "the best epoch until here is lost" in capsys.readouterr().out
    assert is_whole(cut.best)
    assert evaluate.main(["run=outputs/cut"]) == 0


@pytest.mark.parametrize("number", [1, 2])
def test_nan_is_noticed_before_it_is_saved(number: int, cut: RunFolder, home: Path, monkeypatch, capsys) -> None:
    """In the middle of the second epoch, in the first step after the cut, and at its end."""
    monkeypatch.setattr(finite, "CHECK_EVERY", 1)
    before = {path: path.read_bytes() for path in cut.checkpoints.iterdir()}
    with monkeypatch.context() as patch:
        at_step(patch, number, lambda: float("nan"))
        assert run("cut") == 2
    error = capsys.readouterr().err
    assert "the training loss became infinite or nan in epoch 2" in error
    assert "outputs/cut keeps 1 whole epoch and 3 batches of the next, and the same command with resume=auto" in error
    assert {path: path.read_bytes() for path in cut.checkpoints.iterdir()} == before
    assert run("cut") == 0
    assert_equals_straight(cut, home)


def test_a_picture_that_vanishes_costs_nothing(cut: RunFolder, home: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    pictures, away = home / "pictures" / "other", tmp_path / "away"

    def vanish() -> None:
        pictures.rename(away)

    with monkeypatch.context() as patch:
        at_step(patch, 4, vanish)
        assert run("cut") == 2
    away.rename(pictures)
    assert "cannot be read now" in (error := capsys.readouterr().err)
    epochs, batches = position(cut.last)
    assert epochs + batches > 0
    assert f"keeps {epochs} whole epochs and {batches} batches of the next" in error
    assert run("cut") == 0
    assert_equals_straight(cut, home)


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "os.system", "command": "touch executed"},
        {"_target_": "builtins.eval"},
        {"_target_": "animeid.system.files.write_json", "value": 1},
        {"_target_": "animeid.runs.folder.Path", "x": 1},
        {"_target_": "timm.models.load_state_dict", "checkpoint_path": "x"},
        {"_target_": "albumentations.load", "filepath_or_buffer": "x"},
        {"_target_": "torch.nn.init.zeros_"},
    ],
)
@pytest.mark.parametrize("place", ["head", "augment"])
def test_a_plan_from_anywhere_names_parts_only(node: dict, place: str, home: Path, tmp_path: Path) -> None:
    plan = read_yaml(home / "outputs" / "straight" / "config.yaml")
    assert read_plan(home / "outputs" / "straight" / "config.yaml") == plan
    if place == "head":
        plan["head"] = node
    else:
        plan["augment"]["ops"]["evil"] = {"_target_": "albumentations.OneOf", "transforms": [node]}
    write_yaml(tmp_path / "config.yaml", plan)
    with pytest.raises(InputError, match="a card can name only"):
        read_plan(tmp_path / "config.yaml")


@pytest.mark.slow
def test_the_study(tmp_path: Path) -> None:
    """Real kills and all faults, each in a process of its own."""
    program = (
        "from matplotlib.figure import Figure; from tests.charts import blank; Figure.savefig = blank\n"
        "from experiments.faults.study import main; main()"
    )
    command = [sys.executable, "-c", program, "kills=5", f"output={tmp_path / 'page.md'}"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**no**" not in (tmp_path / "page.md").read_text()
