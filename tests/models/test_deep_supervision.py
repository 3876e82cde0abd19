"""Auxiliary classifiers: their losses against plain loops, and that the model that is kept has nothing of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from timm.models.resnet import ResNet
from torch import Tensor, nn

from animeid import train
from animeid.assembly.model import build_model
from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config.compose import compose
from animeid.data.manifest import Manifest, complete
from animeid.data.prepare import Prepared
from animeid.engine.inference import output_of
from animeid.engine.trainer import quieten
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.models.deep_supervision import AuxiliaryClassifiers
from animeid.models.weights import load_classifier
from animeid.runs.folder import RunFolder
from animeid.types import ModelOutput

pytestmark = pytest.mark.usefixtures("without_reports")

LABELS = ("a", "b", "c")
QUICK = (
    "model.name=test_resnet",
    "model.pretrained=false",
    "data.num_workers=0",
    "data.cache=off",
    "data.batch_size=4",
    "data.image_size=[60,80]",
)
NETWORKS = ("test_resnet", "mobilenetv3_small_050", "test_vit")
WEIGHTS = (1.0, 0.3, 0.3, 0.3)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of four pictures each."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for label in LABELS:
        (root / label).mkdir()
        for number in range(4):
            picture = Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8))
            picture.save(root / label / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def prepared(pictures: Path) -> Prepared:
    """Three pictures of each class to train on, one of validation."""
    paths = [f"{label}/{number}.png" for label in LABELS for number in range(4)]
    table = pd.DataFrame({"path": paths, "label": [path[0] for path in paths], "group": paths})
    table["target"] = [LABELS.index(label) for label in table["label"]]
    table["split"] = ["train", "train", "train", "val"] * 3
    nothing = pd.DataFrame()
    return Prepared(Manifest(complete(table), pictures), LABELS, nothing, nothing, given_splits=True)


def built(prepared: Prepared, *overrides: str) -> Components:
    quieten()
    torch.manual_seed(0)
    request = compose("train", [*QUICK, "deep_supervision=taps", *overrides])
    return build(make_plan(request, prepared, "cpu"), prepared)


def first_batch(run: Components) -> dict[str, Any]:
    batch = next(iter(run.data.train_dataloader()))
    return {**batch, "image": run.module.normalise(batch["image"])}


def auxiliary_of(run: Components) -> AuxiliaryClassifiers:
    found = run.module.model.auxiliary
    assert isinstance(found, AuxiliaryClassifiers)
    return found


class TwoTerms(nn.Module):
    """A loss of the logits and of the embedding."""

    def forward(self, output: ModelOutput, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        assert output.aux_logits == []
        miss = nn.functional.cross_entropy(output.logits, batch["target"], reduction="none")
        return {"miss": miss, "length": output.embedding.square().mean(1)}


@pytest.mark.parametrize("mixed", [False, True])
def test_the_loss_is_a_weighted_sum_over_classifiers_and_terms(prepared: Prepared, mixed: bool) -> None:
    module = built(prepared, "deep_supervision.weights=[0.9,0.5,0.2]").module
    module.loss, module.loss_weights = TwoTerms(), replace(module.loss_weights, terms={"length": 0.1})
    random = torch.Generator().manual_seed(0)
    logits = [torch.randn(4, 3, generator=random) for _ in range(3)]
    embedding = torch.randn(4, 6, generator=random)
    target = torch.rand(4, 3, generator=random).softmax(1) if mixed else torch.tensor([0, 1, 2, 1])

    got = module.losses(ModelOutput(logits[0], embedding, logits[1:]), {"target": target})  # type: ignore[typeddict-item]

    for picture in range(4):
        expected = 0.0
        for weight, one in zip((0.9, 0.5, 0.2), logits, strict=True):
            chances = (one[picture] - one[picture].logsumexp(0)).tolist()
            shares = target[picture].tolist() if mixed else [float(target[picture] == c) for c in range(3)]
            miss = -sum(share * chance for share, chance in zip(shares, chances, strict=True))
            expected += weight * (miss + 0.1 * sum(value**2 for value in embedding[picture].tolist()) / 6)
        assert got[picture].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ["focal", "class_balanced"])
def test_any_loss_with_mixed_targets(prepared: Prepared, loss: str) -> None:
    run = built(prepared, f"loss={loss}")
    output = run.module.model.train()(first_batch(run)["image"])
    batch: Any = {"target": torch.rand(4, 3, generator=torch.Generator().manual_seed(0)).softmax(1)}
    expected = torch.zeros(4)
    for weight, logits in zip(WEIGHTS, [output.logits, *output.aux_logits], strict=True):
        (value,) = run.module.loss(ModelOutput(logits, output.embedding), batch).values()
        expected += weight * value
    torch.testing.assert_close(run.module.losses(output, batch), expected)


@torch.no_grad()
def test_validation_and_answers_know_the_main_classifier_only(prepared: Prepared) -> None:
    run = built(prepared, "deep_supervision.weights=[0.5,0.3,0.3,0.3]")
    plain = built(prepared, "deep_supervision=none")
    for module in (run.module, plain.module):
        module.eval()
    batch: Any = first_batch(run)
    output = run.module.model(batch["image"])
    assert output.aux_logits == []
    torch.testing.assert_close(output.logits, plain.module.model(batch["image"]).logits)
    expected = nn.functional.cross_entropy(output.logits, batch["target"], reduction="none")
    torch.testing.assert_close(run.module.losses(output, batch), expected)


def test_the_main_classifier_starts_as_without(prepared: Prepared) -> None:
    run, plain = built(prepared), built(prepared, "deep_supervision=none")
    own = run.module.model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in plain.module.model.state_dict().items())
    assert run.plan["facts"]["parameters"] == plain.plan["facts"]["parameters"]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_classifier_learns(prepared: Prepared, network: str) -> None:
    run = built(prepared, f"model.name={network}")
    module, auxiliary, batch = run.module.train(), auxiliary_of(run), first_batch(run)
    before = [weight.clone() for weight in auxiliary.parameters()]
    optimizer = module.configure_optimizers()["optimizer"]
    for group in optimizer.param_groups:
        group["lr"] = 1e-2
    values = []
    for _ in range(2):
        output = module.model(batch["image"])
        assert [logits.shape for logits in output.aux_logits] == 3 * [(4, 3)]
        value = module.losses(output, batch).mean()  # type: ignore[arg-type]
        optimizer.zero_grad()
        value.backward()
        assert all(weight.grad is not None for weight in module.model.parameters())
        optimizer.step()
        values.append(value.item())
    assert np.isfinite(values).all()
    assert all(not torch.equal(old, new) for old, new in zip(before, auxiliary.parameters(), strict=True))


def test_an_auxiliary_loss_reaches_the_layers_before_its_tap_only(prepared: Prepared) -> None:
    run = built(prepared, "deep_supervision.weights=[0,1]", "deep_supervision.indices=[2]")
    module, batch = run.module.train(), first_batch(run)
    module.losses(module.model(batch["image"]), batch).mean().backward()  # type: ignore[arg-type]
    net = module.model.backbone.net  # type: ignore[union-attr]

    def strength(layer: Any) -> float:
        return sum(float(weight.grad.abs().sum()) for weight in layer.parameters() if weight.grad is not None)

    assert strength(net.layer1) > 0
    assert strength(net.layer2) > 0
    assert strength(net.layer3) == strength(net.layer4) == strength(module.model.head) == 0


def test_logits_are_those_of_the_mean_of_each_map(prepared: Prepared) -> None:
    run = built(prepared, "deep_supervision.weights=[1,0.5,0.5]", "deep_supervision.indices=[3,0]")
    model, auxiliary = run.module.model.train(), auxiliary_of(run)
    seen: dict[str, Tensor] = {}
    for name in ("layer3", "act1"):
        model.backbone.net.get_submodule(name).register_forward_hook(  # type: ignore[union-attr]
            lambda _layer, _inputs, output, name=name: seen.update({name: output.clone()})
        )
    output = model(first_batch(run)["image"])
    for logits, name, classifier in zip(output.aux_logits, ("layer3", "act1"), auxiliary.classifiers, strict=True):
        pooled = seen[name].flatten(2).sum(2) / seen[name][0, 0].numel()
        normal = (pooled - pooled.mean(1, keepdim=True)) / (pooled.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
        linear = classifier[1].linear  # type: ignore[index, union-attr]
        torch.testing.assert_close(logits, normal @ linear.weight.T + linear.bias, rtol=1e-3, atol=1e-4)


def test_a_head_over_maps_beside_auxiliary_classifiers(prepared: Prepared) -> None:
    """Both tap the same pass, and each gets its own maps."""
    run = built(prepared, "head=fusion", "head.indices=[3]", "head.dropout=0", "deep_supervision.indices=[3,1,0]")
    model, image = run.module.model.train(), first_batch(run)["image"]
    output = model(image)
    maps, embedding = model.backbone.forward_taps(image, [3, 1, 0])  # type: ignore[operator, union-attr]
    torch.testing.assert_close(output.embedding, model.head.embed(embedding, maps[:1]))  # type: ignore[operator, union-attr]
    for logits, own in zip(output.aux_logits, auxiliary_of(run)(maps), strict=True):
        torch.testing.assert_close(logits, own)


def test_half_precision(prepared: Prepared) -> None:
    run = built(prepared)
    batch: Any = next(iter(run.data.train_dataloader()))
    output = output_of(run.module.train().inference_model, batch["image"], torch.bfloat16)
    assert {logits.dtype for logits in output.aux_logits} == {torch.float32}, "heads are not rounded"
    values = run.module.losses(output, batch)
    values.mean().backward()
    assert values.dtype == torch.float32
    assert all(torch.isfinite(weight.grad).all() for weight in run.module.model.parameters())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["deep_supervision.weights=[1,1,1,1,1,1]"], "weights asks for 5 feature maps, and the network has 4 before"),
        (["deep_supervision.indices=[1,2]"], "indices names 2 stages, and deep_supervision.weights has 3"),
        (
            ["deep_supervision.indices=[1,2,9]"],
            r"cannot be tapped at \[9\]: its stages are 0 to 4",
        ),
    ],
)
def test_refusals(prepared: Prepared, overrides: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        built(prepared, *overrides)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("weights", ["[1]", "[]", "[1,-0.3]", "1", "[a,b]"])
def test_wrong_weights_are_refused_before_data_is_touched(weights: str) -> None:
    with pytest.raises(InputError, match=r"deep_supervision\.weights must be a list of two or more numbers"):
        compose("train", ["deep_supervision=taps", f"deep_supervision.weights={weights}"])


def test_a_network_that_timm_cannot_tap(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ResNet, "forward_intermediates")
    with pytest.raises(InputError, match=r"timm cannot tap test_resnet .*deep_supervision=none"):
        built(prepared)


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        arguments = [f"data.root={pictures}", "run_id=deep", *QUICK, "deep_supervision=taps", "head=transformer"]
        assert train.main([*arguments, "trainer.max_epochs=2", "keep=all"]) == 0
    return RunFolder(home / "outputs" / "deep")


def auxiliary_names(path: Path) -> list[str]:
    state = torch.load(path, weights_only=True)["state_dict"]
    assert any("head" in name for name in state)
    return [name for name in state if "auxiliary" in name]


def test_the_best_checkpoint_answers_and_the_last_one_goes_on(run: RunFolder) -> None:
    assert auxiliary_names(run.best) == []
    assert len(auxiliary_names(run.last)) == 3 * 4


def test_a_finished_run_answers_without_auxiliary_weights(run: RunFolder) -> None:
    predictor = Predictor.load(run.path)
    classifier = predictor.model.classifier
    assert list(predictor.plan["deep_supervision"]["weights"]) == list(WEIGHTS)
    assert classifier.auxiliary is None
    best = torch.load(run.best, weights_only=True)["state_dict"]
    state = {f"model.{name}": value for name, value in classifier.state_dict().items()}
    assert state.keys() == best.keys()
    assert all(torch.equal(value, best[name]) for name, value in state.items())


@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_a_run_with_auxiliary_classifiers_starts_from_any_checkpoint(
    run: RunFolder, prepared: Prepared, checkpoint: str
) -> None:
    model = built(prepared, "head=transformer").module.model
    drawn = [weight.clone() for weight in model.auxiliary.parameters()]  # type: ignore[union-attr]
    path: Path = getattr(run, checkpoint)
    load_classifier(model, path, LABELS)
    state = torch.load(path, weights_only=True)["state_dict"]
    plain = build_model(Predictor.load(run.path).plan, len(LABELS)).state_dict()
    assert all(torch.equal(model.state_dict()[name], state[f"model.{name}"]) for name in plain)
    assert all(torch.equal(old, new) for old, new in zip(drawn, model.auxiliary.parameters(), strict=True))  # type: ignore[union-attr]
