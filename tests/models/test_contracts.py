"""What every stage and freezing must be. The cards are found, not listed: a new one is one file and one card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
import yaml
from torch import Tensor, nn

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.config.second_stage import learns
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.completed import completed
from animeid.models.freezing import Freezing
from animeid.models.heads.linear import LinearHead
from animeid.models.stage_contract import Stage, Validation

CARDS = groups(conf_dir())


def classifier(name: str = "test_vit") -> Classifier:
    torch.manual_seed(0)
    backbone = TimmBackbone(name, (32, 32), pretrained=False)
    return Classifier(backbone, LinearHead(backbone.num_features, 3, dropout=0.0))


def stage_of(card: str) -> Stage:
    """Read from the card alone, since a request with a stage needs a finished run."""
    node = yaml.safe_load((conf_dir() / "stage" / f"{card}.yaml").read_text(encoding="utf-8"))["stage"]
    if node is None:
        assert learns(node)
        return Stage()
    node = {key: "outputs/*" if value == "???" else value for key, value in node.items()}
    stage = gateway.build(node, "stage")
    assert learns(node) == (stage.trains or stage.fits_head)
    return stage


@pytest.mark.parametrize("card", CARDS["stage"])
def test_a_stage_is_one_and_leaves_a_plain_model(card: str) -> None:
    stage, model = stage_of(card), classifier()
    assert isinstance(stage, Stage)
    names = model.state_dict().keys()
    size = model.backbone.num_features
    note = stage.start(model, lambda: Validation(torch.randn(6, size), lambda logits: len(list(logits)) - 1))
    assert note is None or not stage.trains
    stage.attach(model)
    portable = stage.portable(model.state_dict())
    assert portable.keys() == names
    stage.remove(model)
    model.load_state_dict(portable)
    assert stage.mixture is None or not stage.trains


@pytest.mark.parametrize("card", CARDS["freezing"])
def test_a_freezing_is_one_and_leaves_a_plain_network(card: str) -> None:
    freezing = gateway.build(compose("train", [f"freezing={card}", "model=vit_small"])["freezing"], "freezing")
    if freezing is None:
        assert card == "none"
        return
    assert isinstance(freezing, Freezing)
    backbone = classifier("test_resnet" if card == "batch_norms" else "test_vit").backbone  # which has none
    names = backbone.state_dict().keys()
    freezing.apply(backbone)
    trained = [{n for n, one in backbone.named_parameters() if one.requires_grad}]
    for epoch in range(3):
        freezing.at_epoch(backbone, epoch)
        trained.append({n for n, one in backbone.named_parameters() if one.requires_grad})
    assert freezing.thaws == (trained[1] != trained[-1]), "what thaws says so"
    portable = freezing.portable(backbone.state_dict())
    assert portable.keys() == names
    freezing.remove(backbone)
    backbone.load_state_dict(portable)


@dataclass(frozen=True)
class Norms:
    """A freezing of somebody's own, which derives from nothing."""

    def apply(self, backbone: TimmBackbone) -> None:
        backbone.requires_grad_(False)

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:
        return f"{len(list(backbone.parameters()))} parameters in {max_epochs} epochs."


@dataclass(frozen=True)
class Doubled:
    """A stage of somebody's own with one of the methods."""

    def portable(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: 2 * tensor for name, tensor in state.items()}


def test_parts_of_ones_own_have_the_rest_by_default() -> None:
    freezing = completed(Norms(), Freezing)
    net = classifier().backbone
    freezing.apply(net)
    freezing.at_epoch(net, 0)
    assert not freezing.thaws
    assert freezing.note(net, 2).endswith("2 epochs.")
    stage = completed(Doubled(), Stage)
    assert stage.trains
    assert stage.mixture is None
    assert stage.portable({"a": torch.ones(1)})["a"] == 2
    stage.attach(nn.Module())  # type: ignore[arg-type]
    kept = Stage()
    assert completed(kept, Stage) is kept
