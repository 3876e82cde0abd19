"""The doctor: facts from stand-ins, and the whole of it on a folder with what real folders have."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from animeid import doctor, train
from animeid.config.compose import compose
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.diagnostics import examination, fitness, report
from animeid.diagnostics.choices import plan_without_data
from animeid.diagnostics.glyphs import missing_glyphs
from animeid.diagnostics.hardware import look_at_disk, look_at_hardware
from animeid.diagnostics.long_tail import bar, chosen_ranks, long_tail_chart
from animeid.diagnostics.network import Network
from animeid.diagnostics.packages import look_at_packages, why_torchvision_fails
from animeid.diagnostics.pictures import Pictures, look_at_pictures
from animeid.engine import devices, precision
from animeid.engine.precision import Trial, Trials, settle_precision, try_precisions
from animeid.errors import InputError
from animeid.plots.picture import text_width
from animeid.recipe import timing, weights
from animeid.recipe.timing import Measured, Stopwatch, estimate
from animeid.recipe.weights import initial_weights
from animeid.system.files import read_yaml
from animeid.system.load import Room
from tests.small_runs import QUICK, class_folders

REQUIREMENTS = ("torch==2.15.0", "torchvision==0.29.2", "lightning<2.7,>=2.6.1", "numpy>=2.2", 'peft; extra == "lora"')
NAMES = ("初音ミク", "Tom & Jerry", "レミリア スカーレット")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40, 16 and 3 pictures, among them an exact copy, an exact one of another class and a near one; two broken."""
    root = class_folders(tmp_path_factory.mktemp("图片"), dict(zip(NAMES, (40, 16, 3), strict=True)), coarse=6)
    first = root / NAMES[0]
    shutil.copy(first / "0.png", first / "copy.jpg")
    Image.open(first / "2.png").convert("RGB").save(first / "near.jpg", quality=80)
    shutil.copy(first / "1.png", root / NAMES[1] / "misplaced.png")
    (first / "broken.png").write_bytes(b"no picture")
    (root / NAMES[1] / "empty.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def found(pictures: Path) -> Pictures:
    settings = DataSettings(root=str(pictures))
    return look_at_pictures(prepare(settings), settings)


def versions(**installed: str):
    def version_of(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    return version_of


def problems(**installed: str) -> dict[str, str]:
    return {item.name: item.problem for item in look_at_packages(REQUIREMENTS, versions(**installed))}


def test_packages_that_fit_have_no_problem() -> None:
    found = problems(torch="2.15.0+cpu", torchvision="0.29.2", lightning="2.6.6", numpy="2.4.6")
    assert set(found) == {"torch", "torchvision", "lightning", "numpy"}
    assert not any(found.values())


def test_a_pair_that_was_not_tested_a_malicious_release_and_a_missing_package_are_named() -> None:
    found = problems(torch="2.15.0", torchvision="0.28.0", lightning="2.6.2")
    assert "not of the pair that animeid is tested with (torchvision==0.29.2)" in found["torchvision"]
    assert "MALICIOUS" in found["lightning"]
    assert found["numpy"] == "numpy is not installed"
    assert found["torch"] == ""


def test_animeids_own_requirements_are_met_here() -> None:
    assert not [item.problem for item in look_at_packages() if item.problem]
    assert why_torchvision_fails() is None


def test_a_broken_pair_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(fitness, "why_torchvision_fails", lambda: "operator torchvision::nms does not exist")
    assert doctor.main([]) == 2
    assert "install the pair torch==" in capsys.readouterr().err


def test_the_container_and_not_the_machine_is_told(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/cpuinfo").write_text("processor : 0\nmodel name\t: Some CPU\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("100000 100000")
    (tmp_path / "sys/fs/cgroup/memory.max").write_text(str(2**28))
    hardware = look_at_hardware(tmp_path)
    assert (hardware.usable, hardware.quota, hardware.memory_limit) == (1, 1.0, 2**28)
    assert hardware.memory_free <= 2**28 < hardware.memory
    assert hardware.processor == "Some CPU"


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    disk = look_at_disk("runs", tmp_path / "a" / "b")
    assert disk.is_writable
    assert disk.free > 0
    assert not (tmp_path / "a").exists()


def test_precisions_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "BUDGET_S", 0.0)
    monkeypatch.setattr(precision, "PICTURES", 4)  # 32 take seconds where a processor only imitates a precision
    monkeypatch.setitem(precision.DTYPES, "impossible", torch.int8)
    drawn = torch.get_rng_state()
    trials = {trial.precision: trial for trial in try_precisions("cpu").trials}
    assert torch.equal(torch.get_rng_state(), drawn)  # the next job of a multirun finds the trial made
    assert trials["32-true"].works
    assert not trials["impossible"].works
    assert trials["impossible"].reason
    assert "16-mixed" not in trials, "training refuses it on the processor"


def test_the_fonts_have_the_glyphs_that_they_must() -> None:
    assert missing_glyphs() == ""
    assert missing_glyphs(["博麗 \U00013000"]) == "\U00013000"


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "cached_file", lambda repository: None)


@pytest.mark.parametrize(
    ("overrides", "hub", "is_random", "words"),
    [
        ([], None, False, "timm/resnet10t.c3_in1k, which training downloads first"),
        ([], "it sleeps", True, "RANDOM, since published ones of resnet10t cannot be had (it sleeps)"),
        (["model.pretrained=false"], None, True, "as model.pretrained=false asks"),
        (["model.weights=file.pth"], "it sleeps", False, "file.pth"),
        (["from_run=outputs/first"], "it sleeps", False, "outputs/first"),
        (["model.name=nf_resnet26"], None, True, "timm names none"),
    ],
)
def test_initial_weights(no_cache: None, monkeypatch, overrides, hub, is_random: bool, words: str) -> None:
    # The earlier run is a name alone.
    monkeypatch.setattr("animeid.config.request.with_earlier_network", lambda request, *_: request)
    weights = initial_weights(compose("train", ["data=synthetic", *overrides]), hub)
    assert weights.is_random is is_random
    assert words in weights.note


def test_weights_that_are_insisted_on_and_cannot_be_had(no_cache: None) -> None:
    with pytest.raises(InputError, match="it sleeps"):
        initial_weights(compose("train", ["model.pretrained=true"]), "it sleeps")


def with_gain(gain: float, free: float = 2.0) -> Trials:
    return Trials("cpu", (Trial("32-true", 0.1, gain=1.0), Trial("bf16-mixed", 0.1 / gain, gain=gain)), Room(2, free))


@pytest.mark.parametrize(
    ("trials", "takes", "words"),
    [
        (with_gain(1.53), "bf16-mixed", ("1.53 times the speed of 32-true", "bf16-mixed is 1.53 times as fast")),
        (with_gain(0.35), "32-true", ("0.35 times the speed of 32-true", "bf16-mixed is 0.35 times as fast")),
        (
            with_gain(0.35, free=0.6),
            "bf16-mixed",
            (
                "works; how fast cannot be told while other programs use 1.4 of 2 cores",
                "what is faster cannot be told while other programs use 1.4 of 2 cores",
            ),
        ),
    ],
)
def test_the_doctor_and_training_follow_one_trial(
    quick: Path, monkeypatch: pytest.MonkeyPatch, capsys, trials: Trials, takes: str, words: tuple[str, ...]
) -> None:
    """On a processor with bf16 instructions, whatever their gain."""
    for module in (devices, precision):
        monkeypatch.setattr(module, "cpu_has_bf16", lambda: True)
    for module in (examination, precision):
        monkeypatch.setattr(module, "processor_trials", lambda: trials)
    assert doctor.main(["trainer.accelerator=cpu"]) == 0
    told = capsys.readouterr().out
    for sentence in words:
        assert sentence in told
    facts = dict(re.split("  +", line.strip(), maxsplit=1) for line in told.splitlines() if line.startswith("  "))
    assert facts["precision"] == takes
    assert settle_precision("cpu", has_depthwise=False).precision == takes
    assert settle_precision("cpu", has_depthwise=True).precision == "32-true"


def test_a_model_with_depthwise_convolutions_changes_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animeid.engine.devices.cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precision, "processor_trials", lambda: with_gain(1.5))
    chosen = [plan_without_data(compose("train", [f"model={model}"]), "cpu") for model in ("small", "mobilenetv2")]
    assert [plan["trainer"]["precision"] for plan in chosen] == ["bf16-mixed", "32-true"]


def test_bars_never_vanish_and_ranks_keep_both_ends() -> None:
    assert [bar(share, 10) for share in (1, 0.5, 0.0)] == ["█" * 10, "█" * 5, "▏"]
    assert chosen_ranks(3) == [0, 1, 2]
    assert (chosen_ranks(500)[0], chosen_ranks(500)[-1], len(chosen_ranks(500))) == (0, 499, 20)


def test_the_charts_columns_stand_in_line_whatever_the_script() -> None:
    counts = {"初音ミク": 1200, "Tom & Jerry": 30, "レ" * 50: 1}
    lines = long_tail_chart(counts, dict.fromkeys(counts, "few"))[2:]
    ends = [text_width(line.rstrip("█▏▎▍▌▋▊▉")) for line in lines]
    assert len(set(ends)) == 1
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]


def test_what_the_folder_holds(found: Pictures) -> None:
    assert found.counts == {NAMES[0]: 41, NAMES[1]: 16, NAMES[2]: 3}
    assert dict(Counter(found.skipped["reason"])) == {"empty": 1, "not a picture": 1}
    assert (found.duplicates_of("exact"), found.duplicates_of("near")) == (1, 1)
    copies = {Path(path).name for pair in found.duplicates[["path", "other_path"]].to_numpy() for path in pair}
    assert copies == {"0.png", "copy.jpg", "2.png", "near.jpg"}
    assert (found.conflicts_of("exact"), found.conflicts_of("near")) == (1, 0)
    assert found.formats == {"PNG": 61, "JPEG": 1}
    assert [Path(path).name for path in found.misnamed] == ["copy.jpg"]
    assert found.scarce == [NAMES[2]]
    assert found.imbalance == pytest.approx(41 / 3)
    assert sum(part.pictures for part in found.parts.values()) == 62
    assert found.parts["excluded"].pictures == 2


def test_an_estimate_is_the_sum_of_its_steps() -> None:
    measured = Measured(steps=(0.1, 0.2, 0.3, 0.4, 0.9), answers=(0.01, 0.03, 0.02))
    found = estimate(measured, epochs=3, batches=7, judged=50, pictures=500, devices=2)
    seconds = sum(sum([0.3] * 7) + sum([0.02 / 2] * 50) for _ in range(3))
    assert found.seconds == pytest.approx(seconds)
    assert found.low == pytest.approx(seconds - 3 * 7 * 0.1)
    assert found.high == pytest.approx(seconds + 3 * 7 * 0.1)
    assert found.answering == pytest.approx(500 * 0.02 / 2)


def test_a_stage_without_epochs_is_not_told_to_take_some() -> None:
    measured = Measured(steps=(0.1, 0.2), answers=(0.01,))
    found = estimate(measured, epochs=0, batches=7, judged=50, pictures=500, devices=1)
    told = "\n".join(report.time_lines(found, 2.0))
    assert "no epoch: what is done to a head takes little beside the answers" in told
    assert "0:05 for answers" in told
    assert "0 epochs" not in told


def test_the_stopwatch_leaves_out_the_first_step_where_there_are_others() -> None:
    watch = Stopwatch(1.0)
    watch.ends = [5.0]
    assert watch.steps(began=2.0) == (3.0,)
    watch.ends = [5.0, 6.0, 8.0]
    assert watch.steps(began=2.0) == (1.0, 2.0)


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, the cache's as well, and no more measuring than is needed for a figure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANIMEID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "BUDGET_S", 0.0)
    monkeypatch.setattr(precision, "PICTURES", 4)  # 32 take seconds where a processor only imitates a precision
    monkeypatch.setattr(timing, "TRAINING_S", 0.0)
    monkeypatch.setattr(timing, "ANSWERING_S", 0.0)
    monkeypatch.setattr(examination, "ask_servers", lambda: Network("it sleeps", "there is no key"))
    return tmp_path


def test_weights_are_told_of_the_network_that_is_chosen(quick: Path, no_cache: None, pictures: Path, capsys) -> None:
    assert doctor.main([f"data.root={pictures}", "data.num_workers=0", "data.image_size=32"]) == 0
    told = capsys.readouterr().out
    assert "the published ones in the package efficientnet-lite0" in told
    assert "will be random" not in told


def test_the_doctor_says_what_training_then_does(quick: Path, pictures: Path, capsys) -> None:
    arguments = [f"data.root={pictures}", "data.num_workers=0", "model.pretrained=false", "trainer.max_epochs=1"]
    assert doctor.main(arguments) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert list(quick.iterdir()) == [], "nothing is written"
    assert train.main([*arguments, "run_id=it"]) == 0
    notes = capsys.readouterr().out
    plan = read_yaml(quick / "outputs" / "it" / "config.yaml")
    facts = dict(re.split("  +", line.strip(), maxsplit=1) for line in told.out.splitlines() if line.startswith("  "))
    assert facts["precision"] == plan["trainer"]["precision"]
    assert facts["batch size"] == str(plan["data"]["batch_size"])
    assert facts["image size"] == str(plan["data"]["image_size"])
    assert facts["how"].startswith(f"1 epoch of {plan['facts']['steps_per_epoch']} steps; 1 step was measured")
    read = [line for line in notes.splitlines() if "left out" in line or "exact copies" in line]
    assert len(read) == 2
    assert all(line in told.out for line in read)
    for words in (NAMES[0], "not a picture", "█", "imbalance", "GiB", "random, as", "it sleeps"):
        assert words in told.out


def test_without_a_folder_the_machine_alone_is_told(quick: Path, capsys) -> None:
    assert doctor.main([]) == 0
    told = capsys.readouterr().out
    assert "less for small folders" in told
    assert "expected time" not in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["data.root=nowhere"], "data.root=nowhere is not there"),
        (["trainer=gpu"], "finds no such device"),
        (["data.rot=x"], "data has no key 'rot'"),
        (["-m", "seed=1,2"], "one run at a time"),
    ],
)
def test_what_training_refuses_is_refused(quick: Path, capsys, arguments: list[str], sentence: str) -> None:
    if torch.cuda.is_available() and "trainer=gpu" in arguments:
        pytest.skip("there is a GPU")
    assert doctor.main(arguments) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("choice", ["scheduler=reduce_on_plateau", "augment=adaptive"])
def test_what_needs_a_missing_part_is_refused(quick: Path, capsys, choice: str) -> None:
    root = class_folders(quick / "few", {"a": 2, "b": 2})
    assert doctor.main([f"data.root={root}", *QUICK, choice]) == 2
    assert "no val part" in capsys.readouterr().err


def test_measuring_ends_by_time_and_at_the_end_of_the_epoch(prepared) -> None:
    from animeid.assembly.planning import make_plan
    from animeid.assembly.run import build

    request = compose("train", [*QUICK, "data.batch_size=2", "averaging=ema", "trainer.accelerator=cpu"])
    lengths = []
    for budget in (0.0, 1000.0):
        built = build(make_plan(request, prepared, "cpu"), prepared)
        measured = timing.measure(built, budget, budget)
        lengths.append((len(measured.steps), len(measured.answers)))
        assert np.all(np.array(measured.steps) > 0)
    # 9 training pictures in batches of 2, 2, 2 and 3; 12 pictures to answer; the first of each is left out.
    assert lengths == [(1, 1), (3, 5)]
