"""Grad-CAM against the grad-cam package, whose hooks know nothing of ours, and the pictures made of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from animeid.assembly.model import build_head
from animeid.config.compose import compose
from animeid.errors import InputError
from animeid.explain.grad_cam import grad_cam, heat
from animeid.explain.overlay import overlay
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier

SIZE = (128, 160)
CLASSES = 5


def tokens(prefix: int) -> Callable[[Tensor], Tensor]:
    """`[B, prefix + N, C]` as a map of 16 px patches."""
    return lambda x: x[:, prefix:].unflatten(1, (SIZE[0] // 16, SIZE[1] // 16)).permute(0, 3, 1, 2)


NETWORKS: dict[str, tuple[str, Callable[[Tensor], Tensor] | None]] = {
    "test_resnet": ("layer4", None),
    "mobilenetv3_small_050": ("blocks.5", None),
    "efficientnet_b0": ("blocks.6", None),
    "test_convnext": ("stages.3", None),
    "densenet121": ("features.norm5", None),
    # Tokens' class token is read after the last block: the places count up to the last but one.
    "test_vit": ("blocks.4", tokens(1)),
    "deit_tiny_distilled_patch16_224": ("blocks.10", tokens(2)),
    # The mean of the last block's tokens.
    "test_vit2": ("blocks.7", tokens(1)),
    "swin_tiny_patch4_window7_224": ("layers.3", lambda x: x.permute(0, 3, 1, 2)),
}
"""The layer whose output is the last feature map, and how that is laid out as a map."""


def classifier(name: str, head: str = "linear", size: tuple[int, int] = SIZE) -> Classifier:
    torch.manual_seed(0)
    body = TimmBackbone(name, size, pretrained=False)
    return Classifier(body, build_head(compose("train", [f"head={head}"])["head"], body, CLASSES)).eval()


def pictures(size: tuple[int, int] = SIZE) -> tuple[Tensor, Tensor]:
    """Three normalised pictures, and a class for each."""
    return torch.randn(3, 3, *size, generator=torch.Generator().manual_seed(1)), torch.tensor([4, 0, 2])


class Logits(nn.Module):
    """The classifier as the package wants it."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image).logits


def reference(model: Classifier, layer: str, layout: Callable[[Tensor], Tensor] | None) -> np.ndarray:
    image, classes = pictures(model.backbone.image_size)
    target = model.backbone.net.get_submodule(layer)
    with GradCAM(Logits(model), [target], layout) as cam:
        cam(image, [ClassifierOutputTarget(number) for number in classes.tolist()])
        features, gradients = cam.activations_and_grads.activations[0], cam.activations_and_grads.gradients[0]
        raw = cam.get_cam_image(image, target, None, features.numpy(), gradients.numpy(), False)
    return np.maximum(raw, 0)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_equal_those_of_the_grad_cam_package(name: str) -> None:
    layer, layout = NETWORKS[name]
    model = classifier(name)
    expected = reference(model, layer, layout)
    found = grad_cam(model, *pictures()).numpy()
    assert found.shape == expected.shape
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("side", "layer"), [(128, "layer4"), (64, "layer3"), (16, "layer1"), (4, "layer4")])
def test_a_small_picture_is_explained_by_a_map_that_is_fine_enough(side: int, layer: str) -> None:
    """The last map of 4 x 4 places; none of a picture of 4 pixels has so many."""
    model = classifier("test_resnet", size=(side, side))
    expected = reference(model, layer, None)
    found = grad_cam(model, *pictures((side, side))).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("name", "layer"), [("test_vit", "blocks.5"), ("test_resnet", "layer4")])
@pytest.mark.parametrize("head", ["squeeze_excitation", "fusion", "multi_stage", "transformer"])
def test_a_head_that_sees_feature_maps_counts_too(name: str, layer: str, head: str) -> None:
    """The map that timm copied for the head is on the answer's way, and so is what it was copied from."""
    model = classifier(name, head)
    if head in ("fusion", "multi_stage") and name == "test_vit":
        layer = "blocks.4"  # they see earlier blocks; of the last, only the class token counts
    expected = reference(model, layer, NETWORKS[name][1])
    found = grad_cam(model, *pictures()).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "levit_128s"])
def test_nothing_of_the_model_changes(name: str) -> None:
    """Also when it answered under inference mode before, in which levit keeps tensors for later."""
    model = classifier(name)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    image, classes = pictures()
    with torch.inference_mode():
        logits = model(image).logits
    state = torch.get_rng_state()
    with torch.inference_mode():
        grad_cam(model, image, classes)
        assert torch.equal(model(image).logits, logits)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert not image.requires_grad


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_frozen_weights_can_be_looked_through(name: str) -> None:
    model = classifier(name)
    expected = grad_cam(model, *pictures())
    model.requires_grad_(False)
    assert torch.equal(grad_cam(model, *pictures()), expected)


def test_pictures_and_classes_count_for_themselves() -> None:
    model, (image, classes) = classifier("test_vit"), pictures()
    alone = [grad_cam(model, image[n : n + 1], classes[n : n + 1]) for n in range(3)]
    torch.testing.assert_close(grad_cam(model, image, classes), torch.cat(alone))
    assert not torch.allclose(grad_cam(model, image, (classes + 1) % CLASSES), torch.cat(alone), rtol=0.1)


def test_a_network_without_maps_is_named() -> None:
    model = classifier("test_resnet")
    model.backbone.net.forward_intermediates = None
    with pytest.raises(InputError, match="cannot tap test_resnet"):
        grad_cam(model, *pictures())
    blind = classifier("test_resnet")
    blind.head = nn.Sequential(nn.Flatten(), _Deaf(CLASSES))
    with pytest.raises(InputError, match="answers of test_resnet do not depend"):
        grad_cam(blind, *pictures())


class _Deaf(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.zeros(classes))

    def forward(self, embedding: Tensor) -> Tensor:
        return self.answer.expand(len(embedding), -1)


def test_heat_is_strongest_at_255_and_none_stays_none() -> None:
    found = heat(torch.tensor([[[0.0, 1.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]]), (8, 12), (0, 0, 0, 0))
    assert (found.shape, found.dtype) == ((2, 8, 12), torch.uint8)
    assert (int(found[0].max()), int(found[0, 0, 0]), int(found[1].max())) == (255, 0, 0)
    corners = found[0, [0, 0, -1, -1], [0, -1, 0, -1]].tolist()
    assert corners == [0, round(255 / 4), round(255 / 2), 255]


def test_heat_lies_over_the_picture_without_what_was_added_to_it() -> None:
    """Of 8 x 8 pixels the network saw 16 x 16: the four places of the map are its quarters."""
    cam = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    whole = heat(cam, (16, 16), (0, 0, 0, 0))
    assert torch.equal(heat(cam, (8, 8), (0, 8, 0, 8))[0], whole[0, :8, :8])


def test_an_overlay_leaves_cold_places_as_they_are_and_reddens_hot_ones() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    cam = np.zeros((4, 4), np.uint8)
    cam[0, 0], picture[0, 0] = 255, (100, 100, 100)
    found = overlay(picture, cam)
    assert np.array_equal(found[1:], picture[1:])
    assert found[0, 0, 0] > found[0, 0, 2] + 50
