"""The layout of timm: a folder from which `timm.create_model("local-dir:FOLDER", pretrained=True)` loads a network."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from timm.models import save_for_hf, split_model_name_tag
from torch import Tensor, nn
from torch.nn import functional

from animeid.artefacts.layout import CONFIG, OURS, WEIGHTS
from animeid.inference.predictor import Predictor
from animeid.models.heads.contract import MapHead, VectorHead
from animeid.system.files import read_json, write_json

Holds = Literal["classifier", "embedder", "nothing"]
"""What timm loads of a network."""
PRUNED = "its channels were pruned, and timm builds whole networks only"

TOLERANCE = 1e-4
"""Relative error at most of what timm makes of pictures, against what the run makes of them."""
TRIED = 2
"""Pictures of noise on which the two are compared."""
OF_PUBLISHED = (
    "license",
    "origin_url",
    "paper_ids",
    "paper_name",
    "notes",
    "description",
    "test_input_size",
    "test_crop_pct",
)
"""What timm's configuration says of the weights that it publishes, which these are not."""


@dataclass(frozen=True)
class TimmNetwork:
    """A network of timm with a run's weights.

    net: with a classifier, or without one.
    holds: which; nothing where timm cannot load it.
    reason: why it is without one, or cannot be loaded; empty where it is neither.
    """

    net: Any  # a timm network; timm is not typed
    holds: Holds
    reason: str = ""


def as_timm(predictor: Predictor) -> TimmNetwork:
    """A run's network as timm's own, with the classifier where timm's own answers the same logits.

    An offset of the class prior becomes part of the bias.
    """
    backbone = predictor.model.classifier.backbone
    if backbone.shapes:
        return TimmNetwork(deepcopy(backbone.net).cpu().to(memory_format=torch.contiguous_format), "nothing", PRUNED)
    linear = _linear(predictor)
    if isinstance(linear, str):
        return TimmNetwork(_timm_net(predictor, 0), "embedder", linear)
    weight, bias = linear
    net = _timm_net(predictor, len(predictor.labels))
    classifier = net.get_classifier()
    if not isinstance(classifier, nn.Linear) or classifier.weight.shape != weight.shape:
        return TimmNetwork(_timm_net(predictor, 0), "embedder", "timm's own classifier of this network is another one")
    with torch.no_grad():
        classifier.weight.copy_(weight)
        classifier.bias.copy_(bias)
    if not _agrees(net, predictor):
        return TimmNetwork(_timm_net(predictor, 0), "embedder", "timm's own network with it answers otherwise")
    return TimmNetwork(net, "classifier")


def _linear(predictor: Predictor) -> tuple[Tensor, Tensor] | str:
    """Weight `[C, D]` and bias `[C]` of the one layer that a head is, or why it is none."""
    head, offset = predictor.model.classifier.head, predictor.model.offset
    if not isinstance(head, VectorHead) or isinstance(head, MapHead):
        return f"its head, {type(head).__name__}, is no single linear layer"
    weight, bias = head.linear.weight.detach().cpu(), head.linear.bias.detach().cpu()
    return weight, bias if offset is None else bias - offset.cpu()


def _timm_net(predictor: Predictor, num_classes: int) -> Any:
    """timm's network with the run's backbone in it."""
    backbone = predictor.model.classifier.backbone
    arguments: dict[str, Any] = {"num_classes": num_classes}
    if backbone.net.pretrained_cfg.get("fixed_input_size"):
        arguments["img_size"] = seen_size(predictor)
    net = timm.create_model(split_model_name_tag(backbone.name)[0], **arguments)
    own = {name: tensor.cpu().contiguous() for name, tensor in backbone.net.state_dict().items()}
    lacking = net.load_state_dict(own, strict=False)
    if lacking.unexpected_keys:
        raise RuntimeError(f"timm's {backbone.name} has no {lacking.unexpected_keys[0]}")
    return net.eval()


@torch.no_grad()
def _agrees(net: Any, predictor: Predictor) -> bool:
    """Whether timm's network answers noise as the run does."""
    model = predictor.model
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (TRIED, 3, *predictor.image_size), dtype=torch.uint8, generator=generator)
    pictures = pictures.to(model.device)
    expected = model(pictures).logits.float().cpu()
    seen = functional.pad(model.normalise(pictures), model.classifier.backbone.padding)
    found = net(seen.cpu())
    return bool((found - expected).norm() <= TOLERANCE * expected.norm())


def seen_size(predictor: Predictor) -> tuple[int, int]:
    """(H, W) of what timm's network sees: pictures, padded right and below where patches would not cover them."""
    (height, width), (_, right, _, below) = predictor.image_size, predictor.model.classifier.backbone.padding
    return height + below, width + right


def write_timm(folder: Path, network: TimmNetwork, predictor: Predictor) -> None:
    """Writes `model.safetensors` and `config.json`.

    timm copies what it knows of the published weights of that name; what is not true of these is left out.
    """
    backbone = predictor.model.classifier.backbone
    preprocessing = {
        "input_size": [3, *seen_size(predictor)],
        "interpolation": "bilinear",
        "crop_pct": predictor.plan.data.crop_pct,
        "crop_mode": "center",
        "mean": list(backbone.mean),
        "std": list(backbone.std),
    }
    names = list(predictor.labels)
    save_for_hf(
        network.net,
        str(folder),
        model_config={"label_names": names, "pretrained_cfg": preprocessing},
        safe_serialization=True,
    )
    shutil.copymode(folder / CONFIG, folder / WEIGHTS)  # safetensors' own is for its user alone
    config = read_json(folder / CONFIG)
    config["pretrained_cfg"] = {
        name: value for name, value in config["pretrained_cfg"].items() if name not in OF_PUBLISHED
    } | {**preprocessing, "tag": OURS}
    write_json(folder / CONFIG, {**config, "label_names": names})
