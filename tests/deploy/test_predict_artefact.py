"""`python -m animeid.predict artefact=DIR`: the answers, in the form of those of a run, and what is refused."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animeid import cli, predict
from animeid.config.locate import conf_dir
from animeid.deploy.arguments import READ, RUN_ONLY, ArtefactRequest, request_of
from animeid.deploy.runtime import Runtime
from animeid.errors import InputError
from animeid.inference.output_rows import header
from animeid.system.files import read_yaml
from tests.deploy.tiny_artefact import CLASSES, tiny_artefact

HEAVY = ("torch", "torchvision", "lightning", "timm", "hydra", "omegaconf", "albumentations", "cv2", "pandas", "scipy")
"""What must not be imported; the rest need not be installed either."""
ABSENT = ("pydantic", "annotated_types", "yaml", "psutil", "tqdm", "safetensors", "onnx")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An artefact, and a folder of pictures of one colour each; one is broken."""
    monkeypatch.setenv("ANIMEID_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    tiny_artefact(tmp_path / "artefact")
    (tmp_path / "pictures").mkdir()
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)]):
        Image.new("RGB", (30, 30), colour).save(tmp_path / "pictures" / f"{number}.png")
    (tmp_path / "pictures" / "4.jpg").write_bytes(b"\xff\xd8\xff broken")
    return tmp_path


ASK = ("artefact=artefact", "input=pictures")


def test_a_table_has_the_form_of_a_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main([*ASK, "output=names.csv", "top_k=2"]) == 0
    said = capsys.readouterr()
    assert said.out == "4 pictures named in names.csv\n"
    assert "not named: pictures/4.jpg: " in said.err and "1 of 5 files could not be read" in said.err
    first, *rows = csv.reader((home / "names.csv").open(encoding="utf-8"))
    assert first == header(2)
    answering = Runtime.load("artefact")
    names = answering.names(answering([f"pictures/{number}.png" for number in range(4)]), k=2)
    for row, (best, second) in zip(rows[:4], names, strict=True):
        assert row[1:] == [
            *("", best["label"], f"{best['probability']:.6f}"),
            *(second["label"], f"{second['probability']:.6f}"),
        ]
    assert [row[2] for row in rows[:3]] == list(CLASSES)
    assert rows[4][0] == "pictures/4.jpg" and rows[4][1] and rows[4][2:] == [""] * 4


def test_files_that_are_not_named_as_pictures_are_named_or_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "pictures" / "4.jpg").rename(home / "pictures" / "x.heic")
    (home / "pictures" / "3.png").rename(home / "pictures" / "3")
    (home / "pictures" / "3.txt").write_text("grey")
    assert predict.main([*ASK, "output=names.csv"]) == 0
    said = capsys.readouterr()
    assert said.out == "4 pictures named in names.csv\n"
    assert "not named: pictures/x.heic: " in said.err and "1 text file was left out of input=pictures" in said.err


def test_lines_of_json_print_and_folders(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", *ASK, "output=names.jsonl"]) == 0
    lines = [json.loads(line) for line in (home / "names.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["path"] for line in lines] == [
        f"pictures/{name}" for name in ("0.png", "1.png", "2.png", "3.png", "4.jpg")
    ]
    assert all(len(line["names"]) == 3 for line in lines[:4]) and lines[4]["names"] == []
    capsys.readouterr()
    assert predict.main(["artefact=artefact", "input='pictures/[012].png'", "top_k=1"]) == 0
    printed = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert printed[0] == header(1) and [row[2] for row in printed[1:]] == list(CLASSES)
    assert predict.main([*ASK, "output=sorted/", "sort=link", "unknown_below=0.97"]) == 0
    assert capsys.readouterr().out == "4 pictures were linked in sorted; all answers are in sorted/names.csv\n"
    assert (home / "sorted" / "青" / "2.png").is_symlink() and (home / "sorted" / "unknown" / "3.png").is_symlink()


def test_keys_mean_what_they_mean_of_a_run() -> None:
    """What both commands take begins with the same value, but for batches: a run's are those of its training."""
    card = read_yaml(conf_dir() / "predict.yaml")
    defaults = {field.name: field.default for field in fields(ArtefactRequest)}
    shared = card.keys() & defaults.keys() - {"input", "batch_size"}
    assert {key: card[key] for key in shared} == {key: defaults[key] for key in shared}
    own = {"artefact", "engine"}
    assert set(defaults) == READ.keys() == (card.keys() - {"hydra", "defaults"} - set(RUN_ONLY)) | own
    inherited = read_yaml(conf_dir() / "inference" / "default.yaml").keys()
    assert set(RUN_ONLY) <= card.keys() | inherited | {"tta"}
    assert inherited - {"defaults"} <= set(RUN_ONLY) | set(READ)


def test_arguments_are_read() -> None:
    found = request_of(["artefact=a", 'input="b, c"', "temperature=0.5", "incomplete=keep", "output=null", "top_k=3"])
    assert found == ArtefactRequest(artefact="a", input="b, c", temperature=0.5, incomplete="keep", top_k=3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["artefact="], "artefact must be a path, not ''"),
        (["artefact=a"], "input is not given: write input=..., or see --help"),
        (["artefact=a", "inptu=b"], "an artefact has no key 'inptu'; did you mean 'input'?"),
        (
            ["artefact=a", "run=b"],
            "run= asks a run, and an artefact answers as it was exported: leave run or artefact out",
        ),
        (["artefact=a", "tta=flip"], "tta= asks a run"),
        (["artefact=a", "-m"], "'-m' cannot be read beside artefact=: write key=value alone, such as top_k=3"),
        (["artefact=a", "b"], "'b' cannot be read"),
        (["artefact=a", "top_k=0"], "top_k must be a whole number of at least 1, not 0"),
        (["artefact=a", "batch_size=x"], "batch_size must be a whole number of at least 1, not x"),
        (["artefact=a", "temperature=0"], "temperature must be a number above 0, not 0"),
        (["artefact=a", "temperature=nan"], "temperature must be a number above 0, not nan"),
        (["artefact=a", "unknown_below=2"], "unknown_below must be a number between 0 and 1, not 2"),
        (["artefact=a", "unknown_below=null"], "unknown_below must be a number between 0 and 1, not null"),
        (["artefact=a", "sort=move"], "sort must be copy or link, not move"),
        (["artefact=a", "input=~nobody_of_this_name/b"], "begins with a user that is not known here"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("animeid: error: ") and sentence in said and said.count("\n") == 1


def spoil(folder: Path, how: str) -> None:
    network = folder / "model.onnx"
    if how == "altered":
        content = bytearray(network.read_bytes())
        content[len(content) // 2] ^= 1
        network.write_bytes(content)
    elif how == "missing":
        network.unlink()
    elif how == "newer":
        text = (folder / "config.json").read_text(encoding="utf-8")
        (folder / "config.json").write_text(text.replace('"format": 1', '"format": 99'), encoding="utf-8")
    elif how == "no artefact":
        (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("altered", "is not what was exported"),
        ("missing", "lacks"),
        ("newer", "is of format 99"),
        ("no artefact", "is no artefact"),
    ],
)
def test_a_spoilt_artefact_is_refused(home: Path, how: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(home / "artefact", how)
    assert predict.main([*ASK]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and said.out == ""


def test_other_bad_input_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, sentence in [
        (["artefact=nowhere", "input=pictures"], "nowhere"),
        (["artefact=artefact", "input=nowhere"], "no picture is found at input=nowhere"),
        ([*ASK, "output=names.txt"], "does not end in .csv or .jsonl"),
        ([*ASK, "engine=int4"], "has no engine 'int4'"),
        (["artefact=artefact", "input=pictures/4.jpg", "output=n.csv"], "none of 1 file could be read"),
    ]:
        assert predict.main(arguments) == 2
        assert sentence in capsys.readouterr().err
    assert not (home / "names.txt").exists()


BLOCKED = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # as if they were not installed
from animeid.predict import main
status = main(sys.argv[1:])
there = {{name.split(".")[0] for name, module in sys.modules.items() if module}}
print(sorted(there.intersection({heavy!r})), file=sys.stderr)
sys.exit(status)
"""


def apart(absent: tuple[str, ...], heavy: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process in which some packages cannot be imported; it names those of `heavy` that were."""
    code = BLOCKED.format(absent=absent, heavy=heavy)
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_nothing_heavy_is_imported_where_it_is_there(home: Path) -> None:
    found = apart((), HEAVY, *ASK, "output=names.csv")
    assert (found.returncode, found.stdout) == (0, "4 pictures named in names.csv\n"), found.stderr
    assert found.stderr.splitlines()[-1] == "[]"


def test_nothing_else_needs_to_be_installed(home: Path) -> None:
    found = apart((*HEAVY, *ABSENT), HEAVY, *ASK, "output=names.csv")
    assert (found.returncode, found.stdout) == (0, "4 pictures named in names.csv\n"), found.stderr
    assert apart((*HEAVY, *ABSENT), (), *ASK, "output=names.xls").returncode == 2
    of_a_run = apart((*HEAVY, *ABSENT), (), "run=outputs/my_run", "input=pictures")
    assert of_a_run.returncode == 2 and "run= asks a run" in of_a_run.stderr
    told = apart((*HEAVY, *ABSENT), (), "--help")
    assert told.returncode == 0 and "python -m animeid.predict artefact=" in told.stdout


def test_many_pictures_are_answered_as_few(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace that is measured for many does not move an answer."""
    for number in range(5, 265):
        Image.new("RGB", (24, 20), (number % 256, 7, 99)).save(home / "pictures" / f"{number}.png")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    many = Runtime.load("artefact")("pictures")
    assert len(many.rows) == 264
    few = Runtime.load("artefact")(sorted((home / "pictures").glob("*.png"))[:9])
    np.testing.assert_allclose(many.logits[:9], few.logits, atol=1e-5)


def test_a_request_without_an_artefact_is_not_taken() -> None:
    with pytest.raises(InputError, match="artefact is not given"):
        request_of(["input=pictures"])
