"""Unusable folders, files and requests: a sentence each, and no traceback."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from animeid import train
from animeid.artefacts.artefact import Artefact
from animeid.data.files import check_pictures, find_pictures
from animeid.data.manifest import read_manifest
from animeid.data.root import find_root
from animeid.data.settings import DataSettings
from animeid.data.shards.layout import is_shard_folder
from animeid.data.sources import read_source
from animeid.engine.devices import DTYPES
from animeid.errors import InputError
from animeid.inference.predictor import inference_precision
from animeid.plots.picture import picture
from animeid.runs.folder import RunFolder
from animeid.system.output import check_output
from animeid.training.cost import latency_ms
from animeid.types import ModelOutput


def folder(root: Path, *classes: str) -> DataSettings:
    for name in classes:
        (root / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(root / name / "1.png")
    return DataSettings(root=str(root))


@pytest.mark.parametrize("parts", [("val", "test"), ("Valid", "Testing"), ("VAL_images", "test images")])
def test_parts_without_train_are_not_learnt_as_characters(tmp_path: Path, parts: tuple[str, ...]) -> None:
    settings = folder(tmp_path, *(f"{part}/{name}" for part in parts for name in "ab"))
    with pytest.raises(InputError, match=r"which look like parts, but no 'train': name them train, val, test, unknown"):
        read_source(settings)


def test_characters_may_be_called_train_and_test(tmp_path: Path) -> None:
    settings = folder(tmp_path, "Test", "Val")
    with pytest.raises(InputError, match=r"data\.parts=off takes them for characters"):
        read_source(settings)
    table = read_source(replace(settings, parts="off")).manifest.table
    assert sorted(table["label"]) == ["Test", "Val"]


def refuse_listing(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    """As of a folder that may not be read; where the tests run as root, none refuses."""
    listed: Callable[..., Any] = os.scandir

    def scandir(path: Any = ".") -> Any:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("closed", ["a", "a/inner"])
def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    settings = folder(tmp_path, "a", "a/inner", "b")
    refuse_listing(monkeypatch, tmp_path / closed)
    with pytest.raises(InputError, match=rf"the folder {tmp_path / closed} cannot be listed \(Permission denied\)"):
        read_source(settings)
    with pytest.raises(InputError, match=rf"{tmp_path / closed}, which input=.* leads to, cannot be read"):
        find_pictures(str(tmp_path))


def test_a_file_in_a_closed_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_file(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", is_file)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\): allow reading it"):
        find_pictures(str(tmp_path / "closed" / "1.png"))


def test_an_unknown_home_is_said() -> None:
    with pytest.raises(InputError, match=r"data\.root=~nouser/x begins with a user that is not known here"):
        read_source(DataSettings(root="~nouser/x"))


def test_a_folder_named_as_a_users_home_means_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~nouser").mkdir()
    assert find_root("~nouser") == Path("~nouser")
    assert not is_shard_folder("~nouser")
    for refuse in (RunFolder.open, Artefact.load):
        with pytest.raises(InputError, match=r"^~nouser is no"):
            refuse("~nouser")
    with pytest.raises(InputError, match=r"run=~nouser/x begins with a user that is not known here: write the whole"):
        RunFolder.open("~nouser/x")


@pytest.mark.parametrize("address", ["https://example.org/pictures", "s3://bucket/a.png"])
def test_an_address_is_no_path(address: str) -> None:
    for key, look in (("data.root", find_root), ("input", find_pictures), ("input", check_pictures)):
        with pytest.raises(InputError, match=f"^{key}={address} is an address: download what is there first"):
            look(address)


def test_white_space_round_labels_means_nothing_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,label\n1.png,Rei\n2.png, Rei\n3.png,Rei \n")
    assert read_manifest(tmp_path / "list.csv").table["label"].tolist() == ["Rei"] * 3


def test_commas_at_the_ends_of_rows_move_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("path,label\n1.png,Rei,\n2.png,Asuka,\n3.png,Rei\n")
    table = read_manifest(path).table
    assert table["path"].tolist() == ["1.png", "2.png", "3.png"]
    assert table["label"].tolist() == ["Rei", "Asuka", "Rei"]
    path.write_text("path,label\n1.png,Rei,smiling\n2.png,Asuka,\n")
    with pytest.raises(InputError, match="have more fields than its header"):
        read_manifest(path)


def test_an_output_that_cannot_be_written_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_output(str(tmp_path / "a.csv"), (".csv",)) == tmp_path / "a.csv"
    assert list(tmp_path.iterdir()) == []

    def refuse(**_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(InputError, match=r"a\.csv cannot be written \(Permission denied\)"):
        check_output(str(tmp_path / "a.csv"), (".csv",))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for name in "ab":
        (root / name).mkdir()
        for number in range(3):
            noise = np.random.default_rng([ord(name), number]).integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((40, 40)).save(root / name / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("data.batch_size=1",), "test_resnet has batch norm, which cannot be trained on data.batch_size=1"),
        (
            ("trainer=cpu", "trainer.precision=16-mixed"),
            "trainer.precision=16-mixed is for GPUs, and this run computes on",
        ),
    ],
)
def test_what_the_model_or_device_cannot_do_is_a_sentence(
    pictures: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    common = (
        "model.name=test_resnet",
        "model.pretrained=false",
        "data.image_size=32",
        "data.cache=off",
        "augment=none",
    )
    assert train.main([f"data.root={pictures}", *common, "trainer.accelerator=cpu", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


def test_evaluation_refuses_that_precision_too() -> None:
    with pytest.raises(InputError, match="16-mixed is for GPUs"):
        inference_precision(None, None, "cpu", "16-mixed")  # type: ignore[arg-type]


def test_a_glyph_that_no_font_has_is_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with picture(tmp_path / "a.png", 2, 1) as figure:
            figure.text(0.5, 0.5, "\U0001f98a Fox 狐")
    assert (tmp_path / "a.png").stat().st_size > 0


@pytest.mark.parametrize(("name", "dtype"), [("bf16-mixed", torch.bfloat16), ("32-true", torch.float32)])
def test_latency_is_that_of_the_runs_precision(name: str, dtype: torch.dtype) -> None:
    seen = set()

    class Module(nn.Module):
        device = torch.device("cpu")

        def forward(self, image: torch.Tensor) -> ModelOutput:
            logits = nn.functional.linear(image.float().mean((2, 3)), torch.ones(2, 3))
            seen.add(logits.dtype)
            return ModelOutput(logits, logits)

    assert latency_ms(Module(), (8, 8), DTYPES[name], None) > 0  # type: ignore[arg-type]
    assert seen == {dtype}
