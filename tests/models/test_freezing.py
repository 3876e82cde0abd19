"""Frozen parts stay bit for bit what they were, through real training and a resume; LoRA leaves plain weights."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.engine.callbacks.freezing import Unfreezing, freezing_callbacks
from animeid.engine.checkpoint_io import AtomicCheckpointIO
from animeid.engine.module import CharacterModule, record
from animeid.engine.trainer import quieten
from animeid.errors import InputError
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.metrics.collection import build_collection
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.freezing import AllButLast, BatchNorms, Gradual, WholeBackbone
from animeid.models.heads.linear import LinearHead
from animeid.models.layers import layers_below_head
from animeid.models.lora import Lora, fold
from animeid.models.normalise import Normalise
from animeid.models.weights import load_classifier
from animeid.optim.optimisation import Optimisation
from animeid.optim.optimizers import AdamW
from animeid.optim.schedules.one_cycle import OneCycle
from animeid.types import LabelStats

CNN, VIT = "test_resnet", "test_vit"
LABELS = ("a", "b", "c")
BATCHES = 2
State = dict[str, Tensor]


def backbone(name: str = CNN) -> TimmBackbone:
    torch.manual_seed(0)
    return TimmBackbone(name, (32, 32), pretrained=False)


def module(freezing: Any, name: str = CNN, epochs: int = 1, layer_decay: float | None = None) -> CharacterModule:
    """A module as `build` makes it, with its freezing applied."""
    model = Classifier(backbone(name), LinearHead(backbone(name).num_features, len(LABELS), dropout=0.0))
    if freezing is not None:
        freezing.apply(model.backbone)
    stats = LabelStats.from_counts(LABELS, torch.tensor([2, 2, 2]))
    return CharacterModule(
        model=model,
        loss=CrossEntropyLoss(stats=stats),
        normalise=Normalise(model.backbone.mean, model.backbone.std, channels_last=False),
        optimisation=Optimisation(
            optimizer=AdamW(lr=0.01, weight_decay=0.5, layer_decay=layer_decay),
            schedule=OneCycle(),
            weight_decay=0.5,
            layer_decay=layer_decay,
            total_steps=epochs * BATCHES,
            steps_per_epoch=BATCHES,
        ),
        metrics=build_collection(len(LABELS)),
        record=record(LABELS, {}),
        seed=0,
        portable=[] if freezing is None else [freezing.portable],
    )


def loader() -> DataLoader:
    random = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (4 * BATCHES, 3, 32, 32), dtype=torch.uint8, generator=random)
    rows = [
        {"image": picture, "target": torch.tensor(row % 3), "row": torch.tensor(row), "draw": torch.tensor(row)}
        for row, picture in enumerate(pictures)
    ]
    return DataLoader(rows, batch_size=4)  # type: ignore[arg-type]


def fit(
    trained: CharacterModule, freezing: Any, epochs: int, ckpt: Path | None = None, save: ModelCheckpoint | None = None
) -> Trainer:
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[*freezing_callbacks(freezing), *([save] if save else [])],
        plugins=[AtomicCheckpointIO()],
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=save is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trained.train()
    trainer.fit(trained, loader(), loader(), ckpt_path=ckpt)
    return trainer


def state(part: nn.Module) -> State:
    return {name: tensor.clone() for name, tensor in part.state_dict().items()}


def changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*callbacks used to create the checkpoint.*", "ignore:.*your dataloader is not resumable.*"
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quieten()


def test_a_frozen_backbone_keeps_still_with_its_batch_norms() -> None:
    freezing = WholeBackbone()
    trained = module(freezing)
    before, head = state(trained.model.backbone), state(trained.model.head)
    trainer = fit(trained, freezing, 1)
    assert changed(before, state(trained.model.backbone)) == set()
    assert changed(head, state(trained.model.head)) == {"linear.weight", "linear.bias"}
    listed = {id(one) for group in trainer.optimizers[0].param_groups for one in group["params"]}
    assert listed == {id(one) for one in trained.model.head.parameters()}
    assert len(trainer.optimizers[0].state) == 2
    free = module(None)
    before = state(free.model.backbone)
    fit(free, None, 1)
    assert any("running_mean" in name for name in changed(before, state(free.model.backbone)))


@pytest.mark.parametrize("name", [CNN, "test_efficientnet", "test_convnext", VIT, "mobilenetv3_small_050"])
@pytest.mark.parametrize("unit", ["stage", "block"])
def test_all_but_the_last_layers_keep_still(name: str, unit: Any) -> None:
    freezing = AllButLast(trainable=2, unit=unit)
    trained = module(freezing, name)
    before = state(trained.model.backbone)
    fit(trained, freezing, 1)
    below = layers_below_head(trained.model.backbone.net, unit)
    top = {f"net.{known}" for known, distance in below.items() if distance <= 2}
    assert 0 < len(top) < len(below)
    moved = changed(before, state(trained.model.backbone))
    parameters = dict(trained.model.backbone.named_parameters()).keys()
    assert moved & parameters <= top
    assert {known for known in top if before[known].ndim > 1} <= moved
    frozen_modules = {known.rpartition(".")[0] for known in parameters - top}
    assert not {known for known in moved - parameters if known.rpartition(".")[0] in frozen_modules}
    if name == CNN:
        assert any("running_mean" in known for known in moved), "what is free counts on"


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("name", [CNN, "test_efficientnet", "mobilenetv3_small_050"])
def test_batch_norms_keep_still_and_all_else_is_trained(name: str, affine: bool) -> None:
    freezing = BatchNorms(affine=affine)
    trained = module(freezing, name)
    before, pictures = state(trained.model.backbone), torch.randn(4, 3, 32, 32)
    trained.model.train()
    in_training = trained.model.backbone(pictures)
    trained.model.eval()
    torch.testing.assert_close(in_training, trained.model.backbone(pictures))
    fit(trained, freezing, 1)
    norms = {
        f"{layer}.{tensor}": tensor
        for layer, one in trained.model.backbone.named_modules()
        if isinstance(one, nn.BatchNorm2d)
        for tensor in one.state_dict()
    }
    moved = changed(before, state(trained.model.backbone))
    assert norms and before.keys() - norms.keys() <= moved
    # The scale of a residual branch that begins at zero keeps others from moving in so few steps.
    assert {norms[name] for name in moved & norms.keys()} == ({"weight", "bias"} if affine else set())


def test_what_stays_random_is_told_by_what_stays() -> None:
    net = backbone().eval()
    assert BatchNorms().of_random(net) == (
        "the weights of test_resnet are RANDOM, so that batch norms that stay normalise nothing"
    )
    (norm, *_), maps = net.layers_of(nn.BatchNorm2d), torch.randn(2, 1, 4, 4)
    maps = maps.expand(-1, norm.num_features, -1, -1)
    torch.testing.assert_close(norm(maps), maps, atol=1e-4, rtol=1e-4)
    assert WholeBackbone().of_random(net).startswith("the frozen weights of test_resnet are RANDOM, so that")


def test_batch_norms_of_a_network_without_any_are_refused() -> None:
    with pytest.raises(InputError, match="freezing=batch_norms: test_vit has no batch norms, take freezing=none"):
        BatchNorms().apply(backbone(VIT))


def test_freezing_everything_but_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"freezing\.trainable=9 freezes nothing, since test_resnet has 5 stages"):
        AllButLast(trainable=9).apply(backbone())


def test_modes_come_back_after_evaluation() -> None:
    net = backbone()
    AllButLast(trainable=1).apply(net)
    for _ in range(2):
        modes = {name: part.training for name, part in net.named_modules()}
        assert modes["net.layer4"] and modes["net.layer4.0.bn1"] and modes[""]
        assert not modes["net.layer3"] and not modes["net.layer3.0.bn1"] and not modes["net.bn1"]
        net.eval()
        assert not any(part.training for part in net.modules())
        net.train()


def trainable(net: TimmBackbone) -> set[int]:
    below = layers_below_head(net.net, "stage")
    return {below[name] for name, one in net.net.named_parameters() if one.requires_grad}


class Watcher(Unfreezing):
    """Writes down what is trained in each epoch."""

    def __init__(self, freezing: Gradual) -> None:
        super().__init__(freezing)
        self.seen: list[set[int]] = []

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.seen.append(trainable(pl_module.model.backbone))


def test_one_more_stage_is_trained_every_few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    freezing = Gradual(every=2)
    watcher = Watcher(freezing)
    monkeypatch.setitem(fit.__globals__, "freezing_callbacks", lambda _: [watcher])
    trained = module(freezing, epochs=5)
    before = state(trained.model.backbone)
    trainer = fit(trained, freezing, 5)
    assert watcher.seen == [set(), set(), {1}, {1}, {1, 2}]
    names = {name.split(".")[1] for name in changed(before, state(trained.model.backbone))}
    assert names == {"layer3", "layer4"}, "weight decay and running statistics of the rest keep still"
    with_state = {id(one) for one in trainer.optimizers[0].state}
    assert with_state == {id(one) for one in trained.parameters() if one.requires_grad}
    listed = sum(len(group["params"]) for group in trainer.optimizers[0].param_groups)
    assert listed == len(list(trained.model.parameters()))


@pytest.mark.parametrize("layer_decay", [None, 0.5])
def test_gradual_unfreezing_goes_on_after_a_resume(tmp_path: Path, layer_decay: float | None) -> None:
    freezing = Gradual()
    whole = module(freezing, epochs=4, layer_decay=layer_decay)
    fit(whole, freezing, 4)
    half = module(freezing, epochs=4, layer_decay=layer_decay)
    fit(half, freezing, 2, save=ModelCheckpoint(tmp_path, "last", every_n_epochs=1))
    resumed = module(freezing, epochs=4, layer_decay=layer_decay)
    trainer = fit(resumed, freezing, 4, tmp_path / "last.ckpt")
    assert trainer.global_step == 4 * BATCHES
    assert changed(state(whole.model), state(resumed.model)) == set()
    assert changed(state(half.model), state(resumed.model))


def test_a_resume_within_an_epoch_freezes_as_well(tmp_path: Path) -> None:
    """Lightning then calls no hook of an epoch's start."""
    freezing = Gradual()
    fit(module(freezing, epochs=2), freezing, 2, save=ModelCheckpoint(tmp_path, "within", every_n_train_steps=3))
    resumed = module(freezing, epochs=2)
    before = {name.removeprefix("model."): one for name, one in saved(tmp_path / "within.ckpt").items()}
    trainer = fit(resumed, freezing, 2, tmp_path / "within.ckpt")
    assert trainer.global_step == 2 * BATCHES
    parts = {".".join(name.split(".")[:3]) for name in changed(before, state(resumed.model))}
    assert parts == {"backbone.net.layer4", "head.linear.weight", "head.linear.bias"}


def saved(path: Path) -> State:
    content = torch.load(path, weights_only=True)["state_dict"]
    return {name: one for name, one in content.items() if name.startswith("model.")}


def test_notes_say_what_is_frozen() -> None:
    net = backbone()
    freezing = WholeBackbone()
    freezing.apply(net)
    total = sum(one.numel() for one in net.parameters())
    assert (
        freezing.note(net, 3)
        == f"the backbone is frozen: 0 of the backbone's {total:,} weights are trained, and the head."
    )
    assert "leaves the lowest 3 frozen" in Gradual().note(net, 3)
    assert "frozen" not in Gradual().note(net, 6)


# ---------------------------------------------------------------------------------------------------------------- LoRA


def lora(**changes: Any) -> Lora:
    return Lora(rank=2, alpha=6.0, **changes)


def test_a_fresh_adapter_changes_no_answer() -> None:
    net, image = backbone(VIT).eval(), torch.randn(2, 3, 32, 32)
    before = net(image)
    lora().apply(net)
    assert torch.equal(net.eval()(image), before)


@pytest.mark.parametrize("train_norms", [False, True])
def test_adapters_the_head_and_if_wanted_norms_are_trained(train_norms: bool) -> None:
    pytest.importorskip("peft")
    freezing = lora(train_norms=train_norms, layers=("attn.qkv", "mlp.fc1"))
    trained = module(freezing, VIT)
    before = state(trained.model)
    optimizer = fit(trained, None, 1).optimizers[0]
    moved = changed(before, state(trained.model))
    kinds = {"lora_A", "lora_B"}
    assert {"head.linear.weight", "head.linear.bias"} <= moved
    rest = {name for name in moved if not name.startswith("head.") and not kinds & set(name.split("."))}
    assert all("norm" in name for name in rest)
    assert bool(rest) is train_norms
    adapted = {name.split(".lora_")[0].split(".", 4)[-1] for name in moved if ".lora_B." in name}
    assert adapted == {"attn.qkv", "mlp.fc1"}
    assert len(optimizer.state) == len(moved)


def test_folding_is_what_peft_does() -> None:
    """`remove` lets peft merge its own layers; `portable` folds a state dict without peft."""
    net, image = backbone(VIT), torch.randn(2, 3, 32, 32)
    plain = copy.deepcopy(net)
    freezing = lora(layers=("attn.qkv", "attn.proj", "mlp.fc2"))
    freezing.apply(net)
    for name, one in net.named_parameters():
        if "lora_" in name:
            nn.init.normal_(one)
    answer = net.eval()(image)
    folded = freezing.portable(net.state_dict())
    freezing.remove(net)
    merged = net.state_dict()
    assert folded.keys() == plain.state_dict().keys() == merged.keys()
    torch.testing.assert_close(folded, dict(merged))
    assert any(not torch.equal(tensor, folded[name]) for name, tensor in plain.state_dict().items())
    plain.load_state_dict(folded)
    torch.testing.assert_close(plain.eval()(image), answer, atol=1e-4, rtol=1e-4)
    assert not hasattr(net.net, "peft_config")
    assert fold(folded, 3.0).keys() == folded.keys()


def test_the_best_checkpoint_is_plain_and_the_last_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freezing = lora(dropout=0.1)
    trained = module(freezing, VIT)
    trainer = fit(trained, None, 1)  # without the callback, so that the adapters stay in
    trainer.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    answer = trained.eval()(loader().dataset[0]["image"][None]).logits
    freezing.remove(trained.model.backbone)
    best = torch.load(tmp_path / "best.ckpt", weights_only=True)
    trained.load_state_dict(best["state_dict"])
    torch.testing.assert_close(trained(loader().dataset[0]["image"][None]).logits, answer)
    last = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert any("lora_A" in name for name in last["state_dict"])
    fit(module(freezing, VIT, epochs=2), freezing, 2, tmp_path / "last.ckpt")
    monkeypatch.setitem(sys.modules, "peft", None)
    again = module(None, VIT)
    load_classifier(again.model, tmp_path / "best.ckpt", LABELS)
    torch.testing.assert_close(again.eval()(loader().dataset[0]["image"][None]).logits, answer)


def test_peft_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(InputError, match=r"needs peft, .*pip install 'animeid\[lora\]'"):
        lora().apply(backbone(VIT))


@pytest.mark.parametrize(
    ("name", "layers", "message"),
    [
        (CNN, ("attn.qkv",), "test_resnet has no attn.qkv: choose a transformer"),
        ("test_convnext", ("attn.qkv", "attn.proj"), "has no attn.qkv or attn.proj: choose a transformer"),
        (VIT, ("attn.qkv", "attn.query"), r"attn\.query, which no linear layer .*: choose of attn\.proj, attn\.qkv"),
    ],
)
def test_layers_that_are_not_there_are_refused(name: str, layers: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lora(layers=layers).apply(backbone(name))


def test_an_adapter_that_would_do_nothing_is_refused() -> None:
    """Some networks hand a layer's weight to a function; the layer itself is never called."""
    net = backbone(VIT)
    attention = net.net.blocks[0].attn
    layer = attention.qkv
    attention.forward = lambda x, **_: nn.functional.linear(x, layer.weight[: x.shape[-1]])
    with pytest.raises(InputError, match=r"takes the weight of blocks\.0\.attn\.(qkv|proj) without calling"):
        lora().apply(net)


# --------------------------------------------------------------------------------------------------------------- cards


@pytest.mark.parametrize("card", groups(conf_dir())["freezing"])
def test_every_card_freezes(card: str) -> None:
    node = compose("train", [f"freezing={card}", "model=vit_small"])["freezing"]
    freezing = gateway.build(node, "freezing")
    if freezing is None:
        assert card == "none"
        return
    net = backbone(CNN if card == "batch_norms" else VIT)
    freezing.apply(net)
    freezing.at_epoch(net, 0)
    assert any(not one.requires_grad for one in net.parameters())
    assert freezing.note(net, 2).endswith(".")
