"""An artefact is read as it was written, and refused where anything in it is not what was exported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.checksums import seal
from animeid.artefacts.tensors import shapes_in
from animeid.errors import InputError

CLASSES = ("Tom & Jerry", "many", "少")
FILES = ("README.md", "config.json", "labels.json", "metrics.json", "model.onnx", "model.safetensors", "references.npz")


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """An artefact to be spoilt."""
    return shutil.copytree(home / "artefact", tmp_path / "artefact")


def test_it_tells_what_was_exported(home: Path) -> None:
    artefact = Artefact.load(home / "artefact", classes=CLASSES, architecture="test_efficientnet")
    assert artefact.classes == CLASSES
    assert artefact.run_id == "run"
    assert artefact.input.size == (32, 32)
    assert artefact.input.layout == "NHWC uint8"
    assert [(engine.name, engine.file) for engine in artefact.engines] == [("onnxruntime", "model.onnx")]
    assert sum(artefact.class_counts) == artefact.own["data"]["pictures"]
    assert [(label["name"], label["pictures"]) for label in artefact.labels] == list(
        zip(CLASSES, artefact.class_counts, strict=True)
    )
    references = artefact.references
    assert references is not None
    assert references["targets"].tolist() == [0, 0, 1, 1, 2, 2]
    assert references["embeddings"].dtype == np.float32
    assert artefact.reference_directions is not None
    np.testing.assert_allclose(np.linalg.norm(artefact.reference_directions, axis=1), 1, atol=1e-5)
    assert all((home / "artefact" / file).is_file() for file in references["files"])


def test_its_checksums_are_those_of_sha256sum_and_its_version_is_theirs(home: Path) -> None:
    text = (home / "artefact" / "checksums.txt").read_bytes()
    lines = [line.split("  ", 1) for line in text.decode().splitlines()]
    names = [name for _, name in lines]
    assert names == sorted(names)
    assert set(FILES) <= set(names)
    for digest, name in lines:
        assert sha256((home / "artefact" / name).read_bytes()).hexdigest() == digest
    assert Artefact.load(home / "artefact").version == sha256(text).hexdigest()[:16]


def test_reading_needs_no_torch(home: Path) -> None:
    code = (
        "import sys; from animeid.artefacts.artefact import Artefact; from animeid.artefacts import hub\n"
        f"Artefact.load({str(home / 'artefact')!r})\n"
        "print(sorted({'torch', 'timm', 'hydra', 'pandas', 'yaml', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", [*FILES, "references/00000/1.jpg"])
def test_one_altered_byte_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    place = content.index(b"many") if name == "config.json" else len(content) // 2
    content[place] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(InputError, match=r"is not what was exported|is damaged"):
        Artefact.load(copy)


@pytest.mark.parametrize("name", [*FILES, "checksums.txt"])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(InputError, match=rf"lacks .*{name}|no {name}"):
        Artefact.load(copy)


def test_files_that_are_not_its_own_are_passed_over(copy: Path) -> None:
    version = Artefact.load(copy).version
    (copy / ".gitattributes").write_text("*.onnx filter=lfs\n")
    (copy / "notes.txt").write_text("mine\n")
    assert Artefact.load(copy).version == version


def changed_config(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        change(config)
        (folder / "config.json").write_text(json.dumps(config))

    return apply


def other_labels(folder: Path) -> None:
    labels = json.loads((folder / "labels.json").read_text())
    (folder / "labels.json").write_text(json.dumps(labels[::-1]))


def other_weights(folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"conv.weight": np.zeros((3, 3), np.float32)}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (other_labels, "has other classes in labels.json than in config.json"),
        (changed_config(lambda config: config["label_names"].reverse()), "other classes in label_names of config.json"),
        (other_weights, "does not hold the weights of test_efficientnet"),
        (changed_config(lambda config: config.update(architecture="resnet18")), "names resnet18"),
        (changed_config(lambda config: config["animeid"].update(format=2)), "of format 2.*reads up to 1: install"),
        (changed_config(lambda config: config.pop("animeid")), "no artefact of animeid"),
        (changed_config(lambda config: config["animeid"].pop("engines")), "does not say what an artefact must say"),
        (changed_config(lambda config: config["animeid"]["input"].pop("mean")), "does not say what an artefact must"),
        (changed_config(lambda config: config["animeid"]["class_counts"].pop()), "does not say what an artefact must"),
    ],
)
def test_files_that_contradict_one_another_are_refused_though_their_checksums_are_right(
    copy: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(copy)
    seal(copy)
    with pytest.raises(InputError, match=sentence):
        Artefact.load(copy)


def test_an_engine_without_a_checksum_is_refused(copy: Path) -> None:
    lines = (copy / "checksums.txt").read_text().splitlines(keepends=True)
    (copy / "checksums.txt").write_text("".join(line for line in lines if "model.onnx" not in line))
    with pytest.raises(InputError, match=r"does not list model\.onnx"):
        Artefact.load(copy)


def test_a_checksum_of_a_file_elsewhere_is_refused(copy: Path) -> None:
    with (copy / "checksums.txt").open("a") as stream:
        stream.write(f"{'0' * 64}  ../secret\n")
    with pytest.raises(InputError, match="outside the artefact"):
        Artefact.load(copy)


def test_what_is_no_list_of_checksums_is_refused(copy: Path) -> None:
    (copy / "checksums.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no list of checksums"):
        Artefact.load(copy)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"classes": ("many", "少")}, "it adds Tom & Jerry"),
        ({"classes": (*CLASSES, "new")}, "it lacks new"),
        ({"classes": CLASSES[::-1]}, "in another order"),
        ({"architecture": "resnet50"}, "holds test_efficientnet, not resnet50"),
    ],
)
def test_another_class_list_or_architecture_than_wanted_is_refused(home: Path, wanted: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Artefact.load(home / "artefact", **wanted)


def test_a_folder_that_is_no_artefact_is_refused(home: Path, tmp_path: Path) -> None:
    for folder, sentence in ((tmp_path / "gone", "there is no artefact"), (home / "outputs" / "run", "is no artefact")):
        with pytest.raises(InputError, match=sentence):
            Artefact.load(folder)


def test_the_tensors_of_a_safetensors_file_are_those_that_its_library_reads(home: Path) -> None:
    from safetensors.numpy import load_file

    file = home / "artefact" / "model.safetensors"
    assert {name: shape for name, (_, shape) in shapes_in(file).items()} == {
        name: tensor.shape for name, tensor in load_file(file).items()
    }
