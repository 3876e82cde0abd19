"""Commands answer bad input with one sentence and status 2, before anything heavy is imported."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import animeid
from animeid import cli, evaluate, train
from animeid.config.command import command
from animeid.errors import InputError
from animeid.system.files import read_yaml, write_yaml

Answer = tuple[int, list[str]]


class Recorder:
    """Work that remembers its requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: dict[str, Any]) -> None:
        self.requests.append(request)


@pytest.fixture
def recorder(untried_transforms: None) -> Recorder:
    return Recorder()


@pytest.fixture
def answer(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def ask(*arguments: str, root: str = "train", work: Callable[[dict[str, Any]], Any] = recorder) -> Answer:
        try:
            status = command(root, work)(arguments)
        except SystemExit as left:
            status = int(left.code or 0)
        return status, capsys.readouterr().err.splitlines()

    return ask


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["loss=focl"], "no loss card is called 'focl'; did you mean 'focal'? There are: asymmetric, "),
        (["model=resnet5O"], "no model card is called 'resnet5O'; did you mean 'resnet50'? There are: "),
        (["losss=focal"], "the configuration has no key 'losss'; did you mean 'loss'? There are: "),
        (["loss=focal", "loss.gama=3"], "loss has no key 'gama'; did you mean 'gamma'? There are: gamma"),
        (["loss.gama=3"], "loss has no key 'gama'; there are: label_smoothing"),
        (
            ["head=multi_stage", "head.indicies=[1]"],
            "head has no key 'indicies'; did you mean 'indices'? There are: dropout, indices",
        ),
        (["loss=focal", "loss.gamma=abc"], "loss.gamma must be a number of at least 0 and at most 100, not 'abc'"),
        (["loss=focal", "loss.gamma=-1"], "loss.gamma must be a number of at least 0 and at most 100, not -1"),
        (
            ["trainer.max_epoch=3"],
            "trainer has no key 'max_epoch'; did you mean 'max_epochs'? There are: ",
        ),
        (["trainer.max_epochs=-1"], "trainer.max_epochs must be a whole number of at least 1 or 'auto', not -1"),
        (["data.batch_size=0"], "data.batch_size must be "),
        (["data.val_ratio=1.5"], "data.val_ratio must be "),
        (["data.root.x=1"], "data.root must be a path or null, not {"),
        (["data.root="], "data.root must be a path or null, not ''"),
        (["from_run= "], "from_run must be a path or null, not ''"),
        (["data.crop_pct=0.0001"], "data.crop_pct must be a number of at least 0.1 and at most 1, not 0.0001"),
        (["sampler=weighted", "sampler.power=1000"], "sampler.power must be a number of at least 0 and at most 10"),
        (["loss=focal", "loss.gamma=1e300"], "loss.gamma must be a number of at least 0 and at most 100, not 1e+300"),
        (["augment.ops.flip=3"], "augment.ops.flip must be a part with a _target_ of its own, not 3; there are: "),
        (["~loss"], "loss is not given: write loss=..., or see --help"),
        (
            ["data.root=names/a,b"],
            "data.root=names/a,b has a comma, which separates the values of a multirun: add -m to run each, or put ",
        ),
        (["loss"], "the argument 'loss' cannot be read: write key=value, such as seed=2 or loss=focal"),
        (["loss=focal", "loss.gamma=[1"], "the argument 'loss.gamma=[1' cannot be read"),
        (["seed=-1"], "seed must be a whole number of at least 0 and at most 4294967295, not -1"),
        (["seed=99999999999"], "seed must be a whole number of at least 0 and at most 4294967295, not 99999999999"),
        (["seed=???"], "seed is not given: write seed=..., or see --help"),
        (["run_id=../x"], "run_id must be a name of letters"),
        (["run_id=.."], "run_id must be a name of letters"),
        (["+sed=2"], "the configuration has no key 'sed'; did you mean 'seed'? There are: "),
        (["loss=null"], "no loss card is called 'null'"),
        (["augment.ops.flop.p=1"], "augment.ops has no part 'flop'; did you mean 'flip'? There are: "),
        (["losss.gamma=1"], "the configuration has no key 'losss'; did you mean 'loss'?"),
        (["loss._target_=os.system"], "loss._target_ is 'os.system'; a card can name only what lies under animeid, "),
        (["data.root=${nowhere}"], "Interpolation key 'nowhere' not found"),
        (["--config-dir", "nowhere"], "Additional config directory "),
        (["--resolve"], "The --resolve flag can only be used"),
        (["--lr", "0.1"], "there is no option --lr: keys are written without dashes, lr=...; see --help"),
        (
            ["seed=2", "--loss=focal", "test=false"],
            "there is no option --loss=focal: keys are written without dashes, l",
        ),
        (["-m", "loss=focal,focl"], "no loss card is called 'focl'; did you mean 'focal'?"),
        (
            ["-m", "loss=focal", "loss.gamma=1,abc"],
            "loss.gamma must be a number of at least 0 and at most 100, not 'abc'",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    answer: Callable[..., Answer], recorder: Recorder, arguments: list[str], sentence: str
) -> None:
    status, lines = answer(*arguments)
    assert status == 2
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"animeid: error: {sentence}")
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("root", "arguments", "sentence"),
    [
        ("evaluate", [], "run is not given: write run=..., or see --help"),
        (
            "evaluate",
            ["run=x", "split=tset"],
            "split must be 'train', 'val' or 'test', not 'tset'; did you mean 'test'",
        ),
        ("evaluate", ["run=x", "data.rot=y"], "data has no key 'rot'; did you mean 'root'?"),
        ("evaluate", ["run=x", "loss=focal"], "the configuration has no key 'loss'"),
        ("evaluate", ["run="], "run must be a path, not ''"),
        ("evaluate", ["run=x", "data.root="], "data.root must be a path or null, not ''"),
        ("predict", ["run=x", "input="], "input must be a path, not ''"),
        ("predict", ["run=x"], "input is not given"),
        ("predict", ["run=x", "input=y", "top_k=0"], "top_k must be a whole number of at least 1, not 0"),
        ("predict", ["run=x", "inptu=y"], "the configuration has no key 'inptu'; did you mean 'input'?"),
    ],
)
def test_the_other_commands_answer_alike(
    answer: Callable[..., Answer], root: str, arguments: list[str], sentence: str
) -> None:
    status, lines = answer(*arguments, root=root)
    assert status == 2
    assert lines[0].startswith(f"animeid: error: {sentence}")


def test_a_good_command_line_becomes_a_plain_request_and_leaves_no_files(
    answer: Callable[..., Answer], recorder: Recorder, tmp_path: Path
) -> None:
    status, lines = answer("loss=focal", "loss.gamma=1", "data.image_size=[60,80]", "run_id=7", "seed=3")
    assert (status, lines) == (0, [])
    (request,) = recorder.requests
    assert request["loss"]["gamma"] == 1
    assert request["data"]["image_size"] == [60, 80]
    assert (request["run_id"], request["seed"]) == ("7", 3)
    assert yaml.safe_load(yaml.safe_dump(request)) == request
    assert list(tmp_path.iterdir()) == []


def test_a_group_can_be_left_to_nothing(answer: Callable[..., Answer], recorder: Recorder) -> None:
    assert answer("logger=none")[0] == 0
    assert recorder.requests[0]["logger"] is None


@pytest.mark.parametrize("place", range(3))
def test_options_may_stand_anywhere(
    answer: Callable[..., Answer], recorder: Recorder, tmp_path: Path, place: int
) -> None:
    """Hydra's parser takes `key=value` from one place only, and called what followed an option unrecognized."""
    (tmp_path / "cards" / "loss").mkdir(parents=True)
    (tmp_path / "cards" / "loss" / "own.yaml").write_text("defaults: [focal]\ngamma: 3\n")
    arguments = ["loss=own", "seed=3"]
    for option in (["--config-dir", "cards"], ["--config-dir=cards"], ["-cd", "cards"]):
        assert answer(*arguments[:place], *option, *arguments[place:]) == (0, [])
        request = recorder.requests.pop()
        assert (request["loss"]["gamma"], request["seed"]) == (3, 3)


def test_jobs_of_a_multirun_lie_in_one_folder(
    answer: Callable[..., Answer], recorder: Recorder, tmp_path: Path
) -> None:
    assert answer("-m", "seed=1,2", "run_id=sweep")[0] == 0
    assert answer("-m", "seed=1,2")[0] == 0
    names = [request["run_id"] for request in recorder.requests]
    assert names[:2] == ["sweep/0", "sweep/1"]
    date, time, _ = names[2].split("/")
    assert names[3] == f"{date}/{time}/1"
    assert [request["seed"] for request in recorder.requests] == [1, 2, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


@pytest.mark.parametrize(
    "name", ["图片", "Tom & Jerry's", "レミリア (new)", "C:\\pictures\\图", "a=b 图", "plain/path"]
)
def test_paths_need_no_quotes_of_their_own(answer: Callable[..., Answer], name: str) -> None:
    seen = []
    status, lines = answer(f"data.root={name}", work=lambda request: seen.append(request["data"]["root"]))
    assert (status, lines, seen) == (0, [], [name])


def test_a_multirun_over_names_in_any_script(answer: Callable[..., Answer]) -> None:
    seen = []
    answer("-m", "data.root=图片,写真,plain", work=lambda request: seen.append(request["data"]["root"]))
    assert seen == ["图片", "写真", "plain"]


def test_a_job_that_fails_does_not_stop_the_others(answer: Callable[..., Answer]) -> None:
    seen = []

    def work(request: dict[str, Any]) -> None:
        seen.append(request["seed"])
        if request["seed"] == 1:
            raise InputError("no pictures there")

    status, lines = answer("-m", "seed=1,2", work=work)
    assert (status, seen) == (2, [1, 2])
    # Before it stands that libraries are loaded, unless an earlier test did that.
    assert [line for line in lines if "error" in line] == ["animeid: error: no pictures there"]
    assert lines[-1] == "animeid: error: no pictures there"


def test_a_bug_keeps_its_traceback(answer: Callable[..., Answer]) -> None:
    def work(request: dict[str, Any]) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        answer(work=work)


def test_an_interruption_is_status_130(answer: Callable[..., Answer]) -> None:
    def work(request: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    assert answer(work=work) == (130, ["animeid: error: interrupted: the same command starts again"])


def test_tracebacks_on_request(answer: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(InputError, match="seed must be"):
        answer("seed=-1")


def test_arguments_and_environment_are_as_before_while_the_work_runs(
    answer: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning starts other processes with the arguments of this one."""
    monkeypatch.setattr(sys, "argv", ["animeid", "train", "seed=2"])
    seen: list[list[str]] = []
    answer("seed=2", work=lambda request: seen.append(sys.argv))
    assert seen == [["animeid", "train", "seed=2"]]


def test_cards_of_ones_own(answer: Callable[..., Answer], recorder: Recorder, tmp_path: Path) -> None:
    mine = tmp_path / "cards" / "loss" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    write_yaml(mine, {"_target_": "animeid.losses.focal.FocalLoss", "_partial_": True, "gamma": 0.5})
    assert answer("--config-dir", "cards", "loss=mine")[0] == 0
    assert recorder.requests[0]["loss"]["gamma"] == 0.5
    _, lines = answer("--config-dir", "cards", "loss=mien")
    assert "did you mean 'mine'?" in lines[0]
    _, lines = answer("--config-dir", "cards", "loss=mine", "loss.gamm=1")
    assert "loss has no key 'gamm'; did you mean 'gamma'?" in lines[0]
    mine.write_text("_target_: [")
    assert answer("--config-dir", "cards", "loss=mine")[0] == 2


def test_keys_that_a_card_does_not_list_can_be_set(answer: Callable[..., Answer], recorder: Recorder) -> None:
    assert answer("data.num_workers=0", "data.val_ratio=0.2")[0] == 0
    data = recorder.requests[0]["data"]
    assert (data["num_workers"], data["val_ratio"]) == (0, 0.2)


def test_settings_are_written_out_with_their_defaults(answer: Callable[..., Answer], recorder: Recorder) -> None:
    answer()
    request = recorder.requests[0]
    assert request["data"]["split_seed"] == 0
    assert request["data"]["attributes"] == []
    assert request["data"]["cast"]["seed"] == 0
    assert "stats" not in request["loss"]


def test_help_names_groups_cards_keys_and_examples(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command("train", recorder)(["--help"])
    assert left.value.code in (0, None)
    text = capsys.readouterr().out
    assert "loss: asymmetric, balanced_softmax, class_balanced, " in text
    assert ", cross_entropy, focal, " in text
    assert "data.root=FOLDER" in text
    assert "max_epochs: auto" in text


def test_yaml_keeps_names_in_any_script_and_order(tmp_path: Path) -> None:
    plain = {"名前": "初音 & 猫", "a": [1.0e-8, None, True], "text": "1e-4", "reference": "${x}"}
    write_yaml(tmp_path / "x.yaml", plain)
    assert read_yaml(tmp_path / "x.yaml") == plain
    assert "初音" in (tmp_path / "x.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "animeid train"),
        ([], 0, "animeid train"),
        (["--version"], 0, "animeid 0."),
        (["trian"], 2, "no command is called 'trian'; did you mean 'train'?"),
    ],
)
def test_console_script(arguments: list[str], status: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == status
    said = capsys.readouterr()
    assert text in said.out + said.err


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("lr=0.1", "'optimizer.lr'"),
        ("batch_size=8", "'data.batch_size'"),  # which no card names
        ("image_size=64", "'data.image_size'"),  # and not those that the run gives to parts
        ("pretrained=true", "'model.pretrained'"),  # although `trainer` looks like it
        ("data_root=x", "'data.root'"),
        ("epochs=3", "'trainer.max_epochs'"),
        ("workers=2", "'data.num_workers'"),
        ("sed=2", "'seed'"),
    ],
)
def test_a_key_without_its_place_is_found(written: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([written]) == 2
    assert (
        f"the configuration has no key '{written.partition('=')[0]}'; did you mean {meant}? There"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("right", ["data.root=~/pictures", "data.root=图/初音 & 猫", "run_id=a"])
def test_the_argument_that_is_wrong_is_told_and_none_that_needs_quotes(
    right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([right, "losss=focal"]) == 2
    assert "has no key 'losss'; did you mean 'loss'?" in capsys.readouterr().err


def test_a_command_that_needs_more_finds_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["root=pictures"]) == 2
    assert "did you mean 'data.root'?" in capsys.readouterr().err


def test_a_command_that_trains_nothing_has_no_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["epochs=3"]) == 2
    assert "trainer.max_epochs" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (["optimizer=sgd", "momentum=0.5"], "optimizer.momentum"),
        (["gamma=3", "loss=focal"], "loss.gamma"),
        (["mixing=mixup", "alpha=0.2"], "mixing.mixup_alpha"),
    ],
)
def test_keys_are_those_of_the_cards_that_are_asked_for(
    written: list[str], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(written) == 2
    assert f"did you mean '{key}'?" in capsys.readouterr().err


def test_another_cards_key_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["loss=focal", "label_smoothing=0.1"]) == 2
    assert "loss.label_smoothing" not in capsys.readouterr().err


@pytest.mark.parametrize("written", ["data.root=~/x,~/y", "run_id=图 & a,b & c"])
def test_a_comma_is_told_of_in_the_users_own_words(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    key, _, value = written.partition("=")
    assert train.main([written]) == 2
    told = capsys.readouterr().err
    assert f"{written} has a comma" in told and told.endswith(f"\"{key}='{value}'\"\n")


def test_a_network_that_has_no_card_is_taken_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["model=resnet10t"]) == 2
    assert capsys.readouterr().err.endswith("; any other network of timm: model.name=resnet10t\n")


@pytest.mark.parametrize(
    ("given", "end"), [("null", ""), ("./weights.pt", "; weights in a file: model.weights=./weights.pt"), ("a/b", "")]
)
def test_what_is_no_network_is_not_called_one(given: str, end: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([f"model={given}"]) == 2
    told = capsys.readouterr().err.strip()
    assert "model.name=" not in told and told.endswith(end)


@pytest.mark.parametrize(
    "arguments",
    [
        ["animeid.train", "--version"],
        ["animeid.predict", "--version"],
        ["animeid.predict", "artefact=a", "--version"],
        ["animeid.serve", "--version"],
    ],
)
def test_every_command_tells_its_own_version(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    module, *rest = arguments
    try:
        status = importlib.import_module(module).main(rest)
    except SystemExit as left:
        status = left.code
    assert status == 0
    assert capsys.readouterr().out == f"animeid {animeid.__version__}\n"


def test_the_console_script_hands_its_arguments_on(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "loss=focl"]) == 2
    assert "did you mean 'focal'" in capsys.readouterr().err


ANSWERED = [
    ("animeid.train", "loss.gama=3", 2),
    ("animeid.train", "data.root=nowhere", 2),
    ("animeid.train", "from_run=nowhere", 2),
    ("animeid.train", "model.weights=nowhere", 2),
    ("animeid.train", "run_id=there", 2),
    ("animeid.tune", "data.root=nowhere", 2),
    ("animeid.doctor", "data.root=nowhere", 2),
    ("animeid.evaluate", "run=nowhere", 2),
    ("animeid.report", "run=nowhere", 2),
    ("animeid.predict", "--help", 0),
    ("animeid.cli", "--version", 0),
]
ANSWER_ALL = """
import sys, importlib, json
found = []
for module, argument, _ in json.loads(sys.argv[1]):
    try: status = importlib.import_module(module).main([argument])
    except SystemExit as left: status = left.code or 0
    heavy = {'torch', 'lightning', 'pandas', 'albumentations', 'timm', 'numpy', 'cv2'} & sys.modules.keys()
    found.append([status, sorted(heavy)])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, list[str]]]:
    """Status of each answer, and what heavy is imported after it: one process gives them in turn."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "outputs" / "there" / "checkpoints").mkdir(parents=True)
    command = [sys.executable, "-c", ANSWER_ALL, json.dumps(ANSWERED)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert "Traceback" not in done.stderr
    return [(status, heavy) for status, heavy in json.loads(done.stdout.splitlines()[-1])]


@pytest.mark.parametrize("case", range(len(ANSWERED)), ids=[" ".join(case[:2]) for case in ANSWERED])
def test_nothing_heavy_is_imported_for_an_answer(case: int, answers: list[tuple[int, list[str]]]) -> None:
    *_, status = ANSWERED[case]
    assert answers[case] == (status, [])


def test_as_a_module_with_the_real_entry_point(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "animeid.train", "loss=focl"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("animeid: error: no loss card is called 'focl'")
    assert done.stderr.count("\n") == 1


def test_a_command_says_that_it_begins_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    """The seconds that follow are explained by a line, beside the results."""
    code = (
        "import sys\n"
        "from animeid.config import command, request\n"
        "def tried(*_):\n"
        "    heavy = {'torch', 'lightning', 'pandas', 'albumentations', 'timm', 'numpy', 'cv2'} & sys.modules.keys()\n"
        "    print('heavy:', sorted(heavy), file=sys.stderr); sys.exit(0)\n"
        "command.tried = tried\n"
        "from animeid import train\n"
        "train.main(['data.root=.'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "animeid train: loading its libraries\nheavy: []\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["data.root=nowhere"]])
def test_a_reader_that_has_enough_of_an_answer_ends_it_quietly(arguments: list[str], tmp_path: Path) -> None:
    """As `| head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "animeid.train", *arguments]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.close(write)
    told = "animeid: error: data.root=nowhere is not there: give an existing folder or manifest file\n"
    assert (done.returncode, done.stderr) == ((2, told) if "data.root=nowhere" in arguments else (0, ""))
