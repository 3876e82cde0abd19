"""Multiruns: which job is which, what is done again, and what the summary says; most train nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animeid import train
from animeid.config.command import command
from animeid.config.freeze import freeze
from animeid.config.locate import conf_dir
from animeid.errors import InputError
from animeid.multirun.summary import mean_and_spread
from animeid.runs.folder import RunFolder
from animeid.system.console import align, say
from animeid.system.files import read_yaml, write_json, write_yaml
from animeid.system.lock import lock
from tests.quick_cards import UNCHANGED
from tests.small_runs import QUICK, class_folders

GRID = ("-m", "run_id=s", "loss=focal,cross_entropy", "seed=1,2")
VAL = {("FocalLoss", 1): 0.5, ("FocalLoss", 2): 0.6, ("CrossEntropyLoss", 1): 0.7, ("CrossEntropyLoss", 2): 0.73}
VAL.update({("FocalLoss", 3): 0.4, ("CrossEntropyLoss", 3): 0.9})
Request = dict[str, Any]


def name(request: Request) -> tuple[str, int]:
    return request["loss"]["_target_"].rpartition(".")[2], request["seed"]


class Work:
    """Leaves the files of a finished run with given figures; does as told for a job that is to end otherwise."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.folders: dict[str, tuple[str, int]] = {}
        self.instead: dict[tuple[str, int], Callable[[RunFolder], None]] = {}
        self.judged = "the same pictures"
        self.data = "the same data"

    def __call__(self, request: Request) -> float:
        folder = RunFolder.reserve(request["run_id"])
        self.done.append(name(request))
        if name(request) in self.instead:
            self.instead[name(request)](folder)
        folder.create()
        self.folders[request["run_id"]] = name(request)
        write_json(folder.environment, {"data_fingerprint": self.data, "judged_fingerprint": self.judged})
        write_json(folder.labels, ["a", "b"])
        val = VAL[name(request)]
        # Test figures are in the opposite order.
        metrics = {
            "val": {"f1_macro": val, "acc_macro": val / 2},
            "test": {"f1_macro": 1 - val, "acc_macro": None},
            "cost": {"train_s": 100 * val, "params": 1000},
        }
        write_json(folder.metrics, metrics)
        return val


def refuse(folder: RunFolder) -> None:
    raise InputError("no pictures there")


def crash(folder: RunFolder) -> None:
    raise ValueError("a bug\nof two lines")


@pytest.fixture(scope="module")
def few_cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`conf/train.yaml` with two of its groups: composing all of them many times takes most of a minute."""
    folder = tmp_path_factory.mktemp("conf")
    root = read_yaml(conf_dir() / "train.yaml")
    overrides = [item for item in root["defaults"] if "hydra" in str(item)]
    chosen = ["_self_", {"loss": "cross_entropy"}, {"data": "synthetic"}, {"experiment": None}, *overrides]
    write_yaml(folder / "train.yaml", {**root, "defaults": chosen})
    for group in ("loss", "data", "hydra"):
        shutil.copytree(conf_dir() / group, folder / group)
    UNCHANGED.add(str(folder))
    return folder


@pytest.fixture
def real_cards(untried_transforms: None) -> Work:
    return Work()


@pytest.fixture
def work(few_cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("animeid.config.command.conf_dir", lambda: few_cards)
    for module in ("command", "multirun"):
        monkeypatch.setattr(f"animeid.config.{module}.checked", lambda root, config, overrides: freeze(config))
    return Work()


@pytest.fixture
def sweep(work: Work) -> Callable[..., int]:
    return lambda *arguments: command("train", work)(arguments or GRID)


def table(path: str = "outputs/s/summary.csv") -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_seeds_are_one_row_with_mean_and_spread_ranked_by_validation(
    real_cards: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", real_cards)(GRID) == 0
    first, second = table()
    assert [row["loss"] for row in (first, second)] == ["cross_entropy", "focal"]
    assert [row["val_rank"] for row in (first, second)] == ["1", "2"]
    assert float(first["test/f1_macro"]) < float(second["test/f1_macro"])
    assert float(second["val/f1_macro"]) == pytest.approx(np.mean([0.5, 0.6]))
    assert float(second["val/f1_macro_std"]) == pytest.approx(np.std([0.5, 0.6], ddof=1))
    assert float(first["test/f1_macro"]) == pytest.approx(statistics.mean([0.3, 0.27]))
    assert float(first["val/acc_macro_std"]) == pytest.approx(statistics.stdev([0.35, 0.365]))
    assert (first["seeds"], first["train_s"], first["params"], first["jobs"]) == ("2", "71.5", "1000.0", "2 3")
    assert first["test/acc_macro"] == ""
    out = capsys.readouterr().out
    assert "0.550 ± 0.071" in out
    assert "ranked by val/f1_macro; test figures stand beside it, and nothing is chosen by them" in out
    assert out.splitlines()[-1] == "multirun folder: outputs/s"
    jobs = table("outputs/s/jobs.csv")
    assert [(row["job"], row["loss"], row["seed"]) for row in jobs][1] == ("1", "focal", "2")
    assert [float(row["val/f1_macro"]) for row in jobs] == [0.5, 0.6, 0.7, 0.73]


def test_what_a_job_says_goes_to_a_page_and_a_line_remains(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    def talking(request: Request) -> float:
        say("forty lines")
        say("WARNING: the weights are RANDOM")
        return work(request)

    assert command("train", talking)(["-m", "run_id=s", "seed=1,2"]) == 0
    out = capsys.readouterr().out
    assert "forty lines" not in out
    assert out.count("WARNING: the weights are RANDOM") == 2
    assert "  f1_macro val 0.700, test 0.300, 0:00; what it said is in outputs/s/0.txt\n" in out
    assert "forty lines" in Path("outputs/s/1.txt").read_text()


def test_a_reader_that_is_gone_costs_no_job(
    sweep: Callable[..., int], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `| head`: the first line is read, and what is said of the other jobs goes nowhere."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        os.close(read)
        assert sweep() == 0
    assert len(work.done) == 4
    assert len(table("outputs/s/jobs.csv")) == 4


def test_one_seed_has_no_spread_and_a_missing_figure_no_mean() -> None:
    assert mean_and_spread([0.25]) == (0.25, None)
    assert mean_and_spread([0.25, None]) == (None, None)
    assert mean_and_spread([]) == (None, None)


@pytest.mark.parametrize(("ending", "status"), [(refuse, 2), (crash, 1)])
def test_a_job_that_fails_is_named_and_the_others_are_done(
    sweep: Callable[..., int],
    work: Work,
    capsys: pytest.CaptureFixture[str],
    ending: Callable[[RunFolder], None],
    status: int,
) -> None:
    work.instead = {("FocalLoss", 2): ending, ("CrossEntropyLoss", 1): refuse}
    assert sweep() == status
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 2
    assert "Traceback" not in said.err + said.out
    error = Path("outputs/s/1/error.txt").read_text()
    if ending is crash:
        assert error.startswith("ValueError: a bug of two lines\n\nTraceback")
        assert 'raise ValueError("a bug' in error
        assert "outputs/s/1 crashed: ValueError: a bug of two lines; see outputs/s/1/error.txt" in said.err
        assert "job 1 (loss=focal seed=2) crashed: ValueError: a bug of two lines\n" in said.out
    else:
        assert error == "no pictures there\n"
        assert "job 1 (loss=focal seed=2) failed: no pictures there\n" in said.out
    assert "2 of 4 jobs are finished; the same command with run_id=s does the others" in said.out
    assert [(row["loss"], row["seeds"], row["without_figures"]) for row in table()] == [
        ("cross_entropy", "1", "1"),
        ("focal", "1", "1"),
    ]
    assert table()[0]["val/f1_macro_std"] == ""
    assert [row["state"] for row in table("outputs/s/jobs.csv")] == ["finished", "failed", "failed", "finished"]


def test_a_second_call_does_what_is_missing_and_numbers_stay(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut_off(folder: RunFolder) -> None:
        folder.create()
        folder.last.write_text("half")
        raise KeyboardInterrupt

    work.instead = {("FocalLoss", 2): refuse, ("CrossEntropyLoss", 1): cut_off}
    assert sweep() == 130
    before = {path: path.stat().st_mtime_ns for path in Path("outputs/s/0").rglob("*")}
    work.instead, work.done = {}, []
    capsys.readouterr()
    # Another order, and a new seed.
    assert sweep("-m", "run_id=s", "seed=3,1,2", "loss=cross_entropy,focal") == 0
    assert work.done == [
        ("CrossEntropyLoss", 3),
        ("FocalLoss", 3),
        ("CrossEntropyLoss", 1),
        ("CrossEntropyLoss", 2),
        ("FocalLoss", 2),
    ]
    assert work.folders == {
        "s/0": ("FocalLoss", 1),
        "s/1": ("FocalLoss", 2),
        "s/2": ("CrossEntropyLoss", 1),
        "s/3": ("CrossEntropyLoss", 2),
        "s/4": ("CrossEntropyLoss", 3),
        "s/5": ("FocalLoss", 3),
    }
    assert {path: path.stat().st_mtime_ns for path in Path("outputs/s/0").rglob("*")} == before
    assert Path("outputs/s/2.unfinished-1/checkpoints/last.ckpt").read_text() == "half"
    out = capsys.readouterr().out
    assert "job 4 of 6: loss=focal seed=1 is finished already: outputs/s/0\n" in out
    assert "the unfinished outputs/s/2 is now outputs/s/2.unfinished-1\n" in out
    assert [row["seeds"] for row in table()] == ["3", "3"]
    assert not Path("outputs/s/1/error.txt").exists()


def test_a_job_that_is_resumed_keeps_its_half_folder(sweep: Callable[..., int], work: Work) -> None:
    half = Path("outputs/s/0/checkpoints/last.ckpt")

    def cut_off(folder: RunFolder) -> None:
        folder.create()
        folder.config.write_text("the plan")
        half.write_text("half")
        raise KeyboardInterrupt

    work.instead = {("FocalLoss", 1): cut_off}
    assert sweep() == 130
    seen = []
    # What changes no result may differ.
    arguments = [*GRID, "resume=auto", "data.num_workers=0"]
    assert command("train", lambda request: seen.append(half.read_text()))(arguments) == 0
    assert seen == ["half"] * 4


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_sweep_that_is_stopped_sums_up_what_is_there(
    sweep: Callable[..., int],
    work: Work,
    capsys: pytest.CaptureFixture[str],
    stop: BaseException,
    status: int,
) -> None:
    def stopped(folder: RunFolder) -> None:
        folder.create()
        raise stop

    work.instead = {("CrossEntropyLoss", 1): stopped}
    try:
        found = sweep()
    except SystemExit as left:
        found = int(left.code or 0)
    assert found == status
    assert len(work.done) == 3
    out = capsys.readouterr().out
    assert "not finished: job 2\nnot begun: job 3\n2 of 4 jobs are finished" in out
    assert [(row["loss"], row["val_rank"], row["seeds"]) for row in table()] == [
        ("focal", "1", "2"),
        ("cross_entropy", "", "0"),
    ]
    # The folder is free again.
    work.instead = {}
    assert sweep() == 0


class Together:
    """Notes what it is asked; refuses what it is told to."""

    def __init__(self, refused: str = "", failing: str = "") -> None:
        self.refused, self.failing = refused, failing
        self.checked: list[int] = []
        self.done: list[tuple[str, str]] = []

    def check(self, requests: Sequence[Mapping[str, Any]]) -> None:
        self.checked.append(len(requests))
        if self.refused:
            raise InputError(self.refused)

    def do(self, request: Mapping[str, Any], folder: Path) -> None:
        self.done.append((str(folder), request["run_id"]))
        if self.failing:
            raise InputError(self.failing)


def test_what_is_done_for_all_jobs_is_done_once_and_after_them(work: Work) -> None:
    together = Together()
    assert command("train", work, None, together)(GRID) == 0
    assert (len(work.done), together.checked, together.done) == (4, [4], [("outputs/s", "s")])


def test_jobs_that_do_not_go_together_are_refused_before_the_first(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    together = Together(refused="these do not go together")
    assert command("train", work, None, together)(GRID) == 2
    assert (work.done, together.done) == ([], [])
    assert capsys.readouterr().err == "animeid: error: these do not go together\n"
    assert command("train", work)(GRID) == 0


def test_what_fails_after_the_jobs_is_one_sentence(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", work, None, Together(failing="nothing to compare"))(GRID) == 2
    assert len(table()) == 2
    assert capsys.readouterr().err == "animeid: error: nothing to compare\n"


def test_a_sweep_that_is_stopped_does_nothing_for_all_jobs(work: Work) -> None:
    def stopped(folder: RunFolder) -> None:
        raise KeyboardInterrupt

    together = Together()
    work.instead[("FocalLoss", 2)] = stopped
    assert command("train", work, None, together)(GRID) == 130
    assert together.done == []


def test_one_run_is_not_done_for_all(work: Work) -> None:
    together = Together()
    assert command("train", work, None, together)(("run_id=alone",)) == 0
    assert (together.checked, together.done) == ([], [])


def test_sigterm_between_jobs_stops_the_sweep_too(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    work.instead = {("FocalLoss", 2): lambda folder: os.kill(os.getpid(), signal.SIGTERM)}
    assert sweep() == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert "1 of 4 jobs are finished" in capsys.readouterr().out


def test_progress_tells_the_time_that_is_left(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def takes(seconds: float) -> Callable[[RunFolder], None]:
        def wait(folder: RunFolder) -> None:
            nonlocal now
            now += seconds

        return wait

    monkeypatch.setattr("animeid.multirun.running.time.monotonic", lambda: now)
    work.instead = {("FocalLoss", 1): takes(60), ("FocalLoss", 2): refuse, ("CrossEntropyLoss", 1): takes(100)}
    sweep()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("job ") and " of 4: " in line]
    assert lines == [
        "job 1 of 4: loss=focal seed=1",
        "job 2 of 4: loss=focal seed=2, about 3:00 left",
        "job 3 of 4: loss=cross_entropy seed=1, about 2:00 left",
        "job 4 of 4: loss=cross_entropy seed=2, about 1:20 left",
    ]


def test_one_process_at_a_time(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    holder = "import sys; from pathlib import Path; from animeid.system.lock import lock\n"
    holder += "with lock(Path(sys.argv[1]), 'it'): print('held', flush=True); sys.stdin.read()"
    path = tmp_path / "outputs" / "s" / ".locks" / "multirun"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert sweep() == 2
        assert work.done == []
        assert f"process {other.pid} on " in capsys.readouterr().err
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    # A lock ends with its process.
    assert sweep() == 0


def test_the_folder_is_held_until_the_end(sweep: Callable[..., int], work: Work) -> None:
    refused = []

    def try_to_begin(folder: RunFolder) -> None:
        with pytest.raises(InputError, match="is at work on"), lock(folder.path.parent / ".locks" / "multirun", "it"):
            pass
        refused.append(folder.path.name)

    work.instead = {("FocalLoss", 1): try_to_begin, ("CrossEntropyLoss", 2): try_to_begin}
    assert sweep() == 0
    assert refused == ["0", "3"]


def test_a_job_that_another_process_does_is_left_to_it(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock(Path("outputs/s/.locks/1"), "job 1"):
        assert sweep() == 2
    assert len(work.done) == 3
    assert "is at work on outputs/s/1" in capsys.readouterr().err
    assert not Path("outputs/s/1").exists()


def test_a_folder_of_something_else_is_refused(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", work)(["loss=focal", "run_id=s"]) == 0
    before = sorted(Path("outputs/s").rglob("*"))
    assert sweep() == 2
    assert "outputs/s exists already and is no multirun's folder" in capsys.readouterr().err
    assert sorted(Path("outputs/s").rglob("*")) == before
    assert sweep("-m", "hydra.sweep.dir=elsewhere", "seed=1,2") == 2
    assert "runs lie below" in capsys.readouterr().err


def test_a_call_without_a_run_id_never_goes_on_with_another(
    work: Work, sweep: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("-m", "loss=focal", "seed=1,2") == sweep("-m", "loss=focal", "seed=1,2") == 0
    assert len(work.done) == len(work.folders) == 4
    folders = {line for line in capsys.readouterr().out.splitlines() if line.startswith("multirun folder: ")}
    assert len(folders) == 2
    work.instead = {("FocalLoss", 2): refuse}
    sweep("-m", "loss=focal", "seed=1,2")
    how = capsys.readouterr().out.partition("the same command with ")[2].partition(" does the others")[0]
    assert sweep("-m", "loss=focal", "seed=1", how) == 0
    assert len(work.folders) == 5


def test_figures_on_other_pictures_are_not_compared(
    work: Work, sweep: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep("-m", "run_id=s", "loss=focal", "seed=1")
    work.judged, work.data = "one picture more", "more data"
    sweep("-m", "run_id=s", "loss=focal,cross_entropy", "seed=1,2")
    rows = [(row["pictures"], row["val_rank"], row["loss"], row["seeds"], row["jobs"]) for row in table()]
    assert rows == [
        ("1", "1", "focal", "1", "0"),
        ("2", "1", "cross_entropy", "2", "2 3"),
        ("2", "2", "focal", "1", "1"),
    ]
    assert "not all judged on the same pictures" in capsys.readouterr().out


def test_a_changed_card_makes_another_job(
    work: Work, sweep: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "cards" / "loss" / "mine.yaml"
    card.parent.mkdir(parents=True)
    for gamma in (1.0, 1.0, 2.0):
        write_yaml(card, {"_target_": "animeid.losses.focal.FocalLoss", "_partial_": True, "gamma": gamma})
        assert sweep("--config-dir", "cards", "-m", "run_id=s", "loss=mine", "seed=1,2") == 0
    assert list(work.folders) == ["s/0", "s/1", "s/2", "s/3"]
    assert [row["jobs"] for row in table()] == ["0 1", "2 3"]
    assert (
        "outputs/s/2 has the overrides of outputs/s/0, but a card or a default has changed" in capsys.readouterr().out
    )


def test_the_default_said_or_not_is_one_job(work: Work, sweep: Callable[..., int]) -> None:
    assert sweep("-m", "run_id=s", "seed=1,2") == 0
    assert sweep("-m", "run_id=s", "loss=cross_entropy,focal", "seed=1") == 0
    assert work.done == [("CrossEntropyLoss", 1), ("CrossEntropyLoss", 2), ("FocalLoss", 1)]
    assert {(row["loss"], row["jobs"]) for row in table()} == {("focal", "2"), ("cross_entropy", "0 1")}


def test_names_in_any_script_are_readable(sweep: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep("-m", "run_id=s", "data.root='初音, ミク','猫'", "seed=1") == 0
    assert {row["data.root"] for row in table()} == {"初音, ミク", "猫"}
    assert "job 1 of 2: data.root=初音, ミク" in capsys.readouterr().out.splitlines()


def test_columns_are_aligned_where_characters_take_two_places() -> None:
    assert align([["a", "b"], ["猫", "x"], ["abc", "y"]]) == ["a    b", "------", "猫   x", "abc  y"]


def test_a_sweep_that_a_card_describes_is_planned_too(
    work: Work, sweep: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "cards" / "experiment" / "seeds.yaml"
    card.parent.mkdir(parents=True)
    card.write_text("# @package _global_\nhydra: {sweeper: {params: {seed: '1,2'}}}\n")
    assert sweep("--config-dir", "cards", "-m", "run_id=s", "loss=focal", "experiment=seeds") == 0
    assert work.done == [("FocalLoss", 1), ("FocalLoss", 2)]
    assert "job 2 of 2: seed=2" in capsys.readouterr().out


def test_the_best_figure_is_what_a_job_returns(
    work: Work, sweep: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydra._internal.core_plugins import basic_launcher

    returned = []
    run_job = basic_launcher.run_job

    def recorded(**arguments: Any) -> Any:
        answer = run_job(**arguments)
        returned.append(answer.return_value)
        return answer

    monkeypatch.setattr(basic_launcher, "run_job", recorded)
    assert sweep() == sweep() == 0
    assert returned == [0.5, 0.6, 0.7, 0.73] * 2
    assert len(work.done) == 4


def test_the_card_for_slurm_fits_its_launcher() -> None:
    pytest.importorskip("submitit")
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("train", ["hydra/launcher=slurm", "run_id=s"], return_hydra_config=True)
    launcher = config.hydra.launcher
    assert launcher["_target_"].endswith(".SlurmLauncher")
    assert launcher.submitit_folder == "outputs/s/slurm/%j"
    assert (launcher.partition, launcher.gpus_per_node, launcher.timeout_min) == (None, 1, 720)


def test_slurm_is_refused_where_there_is_none(
    sweep: Callable[..., int], work: Work, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    assert sweep(*GRID, "hydra/launcher=slurm") == 2
    assert "srun is not found" in capsys.readouterr().err
    assert sweep("hydra/launcher=slurm", "seed=1") == 2
    assert "add -m" in capsys.readouterr().err
    assert work.done == []
    assert not Path("outputs").exists()


@pytest.mark.parametrize("launcher", ["slurm", "submitit_local"])
def test_a_missing_plugin_is_one_sentence(launcher: str, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['hydra_plugins'] = sys.modules['submitit'] = None\n"
        "from animeid.train import main\n"
        f"sys.exit(main(['-m', 'hydra/launcher={launcher}', 'seed=1,2']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 2, done.stderr
    needed = "pip install 'animeid[slurm]', or in a checkout pip install -e '.[slurm]'"
    assert done.stderr.splitlines() == [
        f"animeid: error: hydra/launcher={launcher} needs a plugin that is not installed: {needed}"
    ]


RUN = (*QUICK, "trainer.max_epochs=1", "trainer.accelerator=cpu")


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two characters with ten pictures each."""
    monkeypatch.chdir(tmp_path)
    return class_folders(tmp_path / "my pictures", {"初音ミク": 10, "レミリア": 10}, coarse=5)


@pytest.mark.usefixtures("without_report")
def test_real_runs_are_summed_up_and_one_that_fails_is_named(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ("optimizer=sgd", "scheduler=constant", "trainer.gradient_clip_val=null", "optimizer.lr=0.01,1e30")
    assert train.main([f"data.root={pictures}", *RUN, *wild, "-m", "run_id=s", "seed=1,2"]) == 2
    metrics = [json.loads(Path(f"outputs/s/{job}/metrics.json").read_text()) for job in (0, 1)]
    first, second = table()
    assert (first["optimizer.lr"], first["seeds"], first["without_figures"], first["val_rank"]) == (
        "0.01",
        "2",
        "0",
        "1",
    )
    assert (second["optimizer.lr"], second["seeds"], second["without_figures"]) == ("1e+30", "0", "2")
    for part, figure in (("val", "f1_macro"), ("test", "acc_macro")):
        values = [entry[part][figure] for entry in metrics]
        assert float(first[f"{part}/{figure}"]) == pytest.approx(np.mean(values))
        assert float(first[f"{part}/{figure}_std"]) == pytest.approx(np.std(values, ddof=1))
    assert "pictures" not in first
    assert int(float(first["params"])) == metrics[0]["cost"]["params"]
    said = capsys.readouterr()
    assert "job 2 (optimizer.lr=1e+30 seed=1) failed: " in said.out
    assert said.err.count("optimizer.lr") == 2


@pytest.mark.slow
def test_jobs_in_other_processes_are_summed_up_too(pictures: Path) -> None:
    pytest.importorskip("submitit")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = (f"data.root={pictures}", *RUN, "run_id=s", "hydra/launcher=submitit_local")

    def call(*more: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "animeid.train", "-m", *arguments, *more]
        return subprocess.run(line, capture_output=True, text=True, env=environment)

    first = call("seed=1,2")
    assert first.returncode == 0, first.stdout + first.stderr
    (row,) = table()
    assert (row["seeds"], row["jobs"]) == ("2", "0 1")
    assert "outputs/s/.submitit" in first.stdout
    again = call("seed=3,2,1")
    assert again.returncode == 0, again.stdout + again.stderr
    assert [(row["seeds"], row["jobs"]) for row in table()] == [("3", "0 1 2")]
