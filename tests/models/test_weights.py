"""Local files: what is loaded, and what is refused with which words."""

from __future__ import annotations

import argparse
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.linear import LinearHead
from animeid.models.weights import load_classifier

LABELS = ("Asuka", "雷电将军", "綾波レイ")
State = dict[str, Tensor]


def loaded(name: str, path: Path, size: int = 32) -> TimmBackbone:
    return TimmBackbone(name, (size, size), weights=str(path))


def classifier(name: str = "test_resnet", classes: int = 3) -> Classifier:
    backbone = TimmBackbone(name, (32, 32), pretrained=False)
    return Classifier(backbone, LinearHead(backbone.num_features, classes))


def assert_same(net: nn.Module, state: State) -> None:
    own = net.state_dict()
    assert own
    for name, tensor in own.items():
        assert torch.equal(tensor, state[name]), name


@pytest.fixture
def resnet() -> State:
    """A whole timm classifier's tensors; another classifier than ours."""
    return timm.create_model("test_resnet", num_classes=11).state_dict()


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda state: state, id="plain"),
        pytest.param(lambda state: {"state_dict": state, "epoch": 3}, id="nested"),
        pytest.param(lambda state: {"state_dict": state, "args": argparse.Namespace(lr=1.0)}, id="timm's train script"),
        pytest.param(lambda state: {f"module.{name}": tensor for name, tensor in state.items()}, id="distributed"),
        pytest.param(lambda state: {f"_orig_mod.{name}": tensor for name, tensor in state.items()}, id="compiled"),
    ],
)
def test_torch_files(wrap: Any, resnet: State, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(wrap(resnet), path)
    model = loaded("test_resnet", path)
    assert_same(model.net, resnet)
    assert model.weights_source == "file"
    assert model.weights_note == f"test_resnet starts from the weights in {path}; the classifier in it is left out."


def test_safetensors_without_a_classifier(tmp_path: Path) -> None:
    state = timm.create_model("test_resnet", num_classes=0).state_dict()
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    model = loaded("test_resnet", path)
    assert_same(model.net, state)
    assert "left out" not in model.weights_note


def test_a_file_without_batch_counts(resnet: State, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({name: tensor for name, tensor in resnet.items() if "num_batches" not in name}, path)
    model = loaded("test_resnet", path)
    assert torch.equal(model.net.state_dict()["conv1.0.weight"], resnet["conv1.0.weight"])


def test_a_transformers_positions_are_resampled(tmp_path: Path) -> None:
    path = tmp_path / "vit.pth"
    state = timm.create_model("test_vit", num_classes=5).state_dict()
    state["pos_embed"].fill_(3.0)
    torch.save(state, path)
    model = loaded("test_vit", path, size=64)
    assert model.net.pos_embed.shape != state["pos_embed"].shape
    assert torch.equal(model.net.state_dict()["blocks.0.attn.qkv.weight"], state["blocks.0.attn.qkv.weight"])
    torch.testing.assert_close(model.net.pos_embed, torch.full_like(model.net.pos_embed, 3.0))


def test_a_checkpoint_of_a_run_gives_its_backbone(tmp_path: Path) -> None:
    source, path = classifier(), tmp_path / "best.ckpt"
    torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in source.state_dict().items()}}, path)
    model = loaded("test_resnet", path)
    assert_same(model.net, source.backbone.net.state_dict())
    assert "classifier in it is left out" in model.weights_note


@pytest.mark.parametrize("other", ["test_vit", "resnet10t"])
def test_another_architecture_is_refused(other: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(timm.create_model(other, num_classes=5).state_dict(), path)
    with pytest.raises(
        InputError, match=r"does not hold the weights of test_resnet: \d+ of the model's \d+ .* fit, .*such as"
    ):
        loaded("test_resnet", path)


def in_timms_layout(folder: Path, name: str) -> Path:
    folder.mkdir()
    path = folder / "model.safetensors"
    save_file(timm.create_model(name, num_classes=0).state_dict(), path)
    (folder / "config.json").write_text(json.dumps({"architecture": name}), encoding="utf-8")
    return path


def of_timms_script(folder: Path, name: str) -> Path:
    folder.mkdir()
    torch.save({"arch": name, "state_dict": timm.create_model(name).state_dict()}, folder / "best.pth.tar")
    return folder / "best.pth.tar"


def of_a_run(folder: Path, name: str) -> Path:
    folder.mkdir()
    told = {"labels": list(LABELS), "plan": {"model": {"name": f"{name}.a_tag"}}}
    state = {f"model.{key}": tensor for key, tensor in classifier(name).state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": told}, folder / "best.ckpt")
    return folder / "best.ckpt"


@pytest.mark.parametrize("saved", [in_timms_layout, of_timms_script, of_a_run])
def test_another_architecture_is_refused_by_both_names(saved: Any, tmp_path: Path) -> None:
    path = saved(tmp_path / "saved", "test_resnet")
    tag = ".a_tag" if saved is of_a_run else ""
    words = f"{path} holds the weights of test_resnet{tag}, which are none for model.name=resnet10t: choose "
    with pytest.raises(InputError, match=re.escape(words)):
        loaded("resnet10t", path)
    assert loaded("test_resnet", path).weights_source == "file"


def test_one_whose_tensors_fit_is_refused_as_well(tmp_path: Path) -> None:
    """tf_efficientnet_lite0 and efficientnet_lite0 have the same tensors, and pad pictures in other ways."""
    path = in_timms_layout(tmp_path / "saved", "tf_efficientnet_lite0")
    with pytest.raises(InputError, match=r"holds the weights of tf_efficientnet_lite0, which are none for .*_lite0"):
        loaded("efficientnet_lite0", path)


def test_what_pruning_has_left_is_no_whole_network(tmp_path: Path) -> None:
    shapes = {"conv1.0.weight": [16, 3, 3, 3]}
    whole = timm.create_model("test_resnet", num_classes=0).state_dict()
    name = next(name for name, tensor in whole.items() if tensor.ndim == 4)
    told = {"labels": list(LABELS), "plan": {"model": {"name": "test_resnet", "shapes": shapes}}}
    torch.save({"state_dict": whole | {name: whole[name][:8]}, "hyper_parameters": told}, tmp_path / "best.ckpt")
    with pytest.raises(InputError, match=r"best.ckpt holds what pruning has left of test_resnet, and .* from_run=RUN"):
        loaded("test_resnet", tmp_path / "best.ckpt")


def test_a_name_that_timm_does_not_know_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save({"arch": "my_resnet", "state_dict": timm.create_model("test_resnet").state_dict()}, path)
    assert loaded("test_resnet", path).weights_source == "file"


def test_a_deeper_relative_is_refused(tmp_path: Path) -> None:
    """resnet34 has every tensor of resnet18 by name, and more."""
    path = tmp_path / "deeper.pth"
    torch.save(timm.create_model("resnet34", num_classes=5).state_dict(), path)
    with pytest.raises(InputError, match=r"not in the model, such as layer1\.2"):
        loaded("resnet18", path)


class Malicious:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.victim,)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("bare", [True, False])
def test_a_malicious_pickle_runs_nothing(tmp_path: Path, zipped: bool, bare: bool) -> None:
    path, victim = tmp_path / "bad.pth", tmp_path / "victim"
    if bare:
        path.write_bytes(pickle.dumps(Malicious(victim)))
    else:
        torch.save({"a": torch.ones(1), "b": Malicious(victim)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"bad\.pth") as error:
        loaded("test_resnet", path)
    assert not victim.exists()
    assert bare or "could run any code" in str(error.value)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_refused(suffix: str, share: float, resnet: State, tmp_path: Path) -> None:
    path = tmp_path / f"cut{suffix}"
    save_file(resnet, path) if suffix == ".safetensors" else torch.save(resnet, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="cut off or damaged"):
        loaded("test_resnet", path)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("none.pth", None, "there is no weights file"),
        ("page.pth", b"<html>not found</html>", "damaged"),
        ("page.safetensors", b"<html>not found</html>", "damaged"),
        ("weights.h5", b"x", "must end in"),
    ],
)
def test_files_that_hold_no_weights(file: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / file
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        loaded("test_resnet", path)


def test_a_file_of_other_things(tmp_path: Path) -> None:
    path = tmp_path / "list.pt"
    torch.save([1, 2, 3], path)
    with pytest.raises(InputError, match="holds no weights"):
        loaded("test_resnet", path)


def saved_run(model: Classifier, folder: Path, *, inside: bool) -> Path:
    """A run's best checkpoint, with its class names in the file or beside it."""
    (folder / "checkpoints").mkdir()
    path = folder / "checkpoints" / "best.ckpt"
    content: dict[str, Any] = {"state_dict": {f"model.{name}": value for name, value in model.state_dict().items()}}
    if inside:
        content["hyper_parameters"] = {"labels": list(LABELS)}
    else:
        (folder / "labels.json").write_text(json.dumps(LABELS, ensure_ascii=False), encoding="utf-8")
    torch.save(content, path)
    return path


@torch.no_grad()
@pytest.mark.parametrize("inside", [True, False])
def test_a_whole_classifier_comes_back(inside: bool, tmp_path: Path) -> None:
    source, target = classifier().eval(), classifier().eval()
    image = torch.randn(2, 3, 32, 32)
    load_classifier(target, saved_run(source, tmp_path, inside=inside), LABELS)
    assert torch.equal(target(image).logits, source(image).logits)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("Asuka", "雷电将军", "Rei"), r"1 not wanted here \(綾波レイ\), 1 not known to it \(Rei\)"),
        (LABELS[::-1], "the same ones in another order"),
        (LABELS[:2], "1 not wanted here"),
    ],
)
def test_other_classes_are_refused(labels: tuple[str, ...], message: str, tmp_path: Path) -> None:
    path = saved_run(classifier(), tmp_path, inside=True)
    with pytest.raises(InputError, match=message):
        load_classifier(classifier(classes=len(labels)), path, labels)


def test_a_classifier_of_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose the model and head"):
        load_classifier(classifier("test_efficientnet"), saved_run(classifier(), tmp_path, inside=True), LABELS)


def test_a_checkpoint_that_does_not_tell_its_classes(tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    torch.save(classifier().state_dict(), path)
    with pytest.raises(InputError, match="does not tell its classes"):
        load_classifier(classifier(), path, LABELS)
