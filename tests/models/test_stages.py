"""Second stages' mathematics against the equations of Kang 2020, in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from animeid.errors import InputError
from animeid.metrics.adjustment import best_of
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead
from animeid.models.stage_contract import Validation
from animeid.models.stages import TAUS, ScaledLinear, TauNormalisation, WeightScaling, normalised


def classifier(head: type[nn.Module] = LinearHead) -> Classifier:
    torch.manual_seed(0)
    backbone = TimmBackbone("test_resnet", pretrained=False, image_size=(32, 32))
    model = Classifier(backbone, head(backbone.num_features, 4))
    if isinstance(model.head, LinearHead):
        with torch.no_grad():
            model.head.linear.weight.mul_(torch.tensor([30.0, 10.0, 3.0, 1.0])[:, None])
            model.head.linear.bias.uniform_(-1, 1)
    return model.eval()


def refused() -> Validation:
    raise AssertionError("a given tau needs no validation part")


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_vectors_are_divided_by_a_power_of_their_length(tau: float) -> None:
    model = classifier()
    before = model.head.linear.weight.detach().clone().numpy()
    TauNormalisation(tau=tau).start(model, refused)
    after = model.head.linear.weight.detach().numpy()
    for row, vector in zip(after, before, strict=True):
        np.testing.assert_allclose(row, vector / np.sqrt((vector.astype(np.float64) ** 2).sum()) ** tau, rtol=1e-5)
    assert not model.head.linear.bias.any()


def test_a_vector_of_no_length_stays() -> None:
    assert not normalised(torch.zeros(2, 3), 1.0).any()


def test_the_tau_that_is_chosen_is_the_best() -> None:
    model, random = classifier(), np.random.default_rng(0)
    vectors = model.head.linear.weight.detach().numpy().copy()
    targets = np.arange(60) % 4
    noise = random.normal(size=(60, vectors.shape[1])) * 2
    embeddings = (3 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[targets] + noise
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = [f1_score(targets, (embeddings @ (vectors / lengths**tau).T).argmax(1), average="macro") for tau in TAUS]
    best = TAUS[int(np.argmax(scores))]
    part = Validation(torch.from_numpy(embeddings).float(), lambda logits: best_of(logits, targets))
    told = TauNormalisation().start(model, lambda: part)
    np.testing.assert_allclose(model.head.linear.weight.detach().numpy(), vectors / lengths**best, rtol=1e-5)
    assert f"power of {best:g}, which is best on validation" in told
    assert best > 0


def test_lengths_alone_are_learnt_and_end_in_the_vectors() -> None:
    model, random = classifier(), np.random.default_rng(0)
    plain, names = classifier(), list(classifier().state_dict())
    stage, embedding = WeightScaling(), torch.randn(5, model.backbone.num_features)
    stage.attach(model)
    layer = model.head.linear
    assert isinstance(layer, ScaledLinear)
    torch.testing.assert_close(model.head(embedding), plain.head(embedding))
    assert [name for name, weight in model.head.named_parameters() if weight.requires_grad] == ["linear.scale"]
    factors = torch.from_numpy(random.uniform(0.5, 2, 4)).float()
    with torch.no_grad():
        layer.scale.copy_(factors)
    expected = plain.head(embedding) * factors
    torch.testing.assert_close(model.head(embedding), expected)
    named = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    state = {name.removeprefix("model."): tensor for name, tensor in stage.portable(named).items()}
    assert sorted(state) == sorted(names)
    stage.remove(model)
    model.load_state_dict(state)
    torch.testing.assert_close(model.eval().head(embedding), expected)


@pytest.mark.parametrize("stage", ["lws", "tau_norm"])
def test_directions_have_no_length(stage: str) -> None:
    model = classifier(CosineHead)
    with pytest.raises(InputError, match=f"stage={stage} changes the lengths"):
        WeightScaling().attach(model) if stage == "lws" else TauNormalisation(tau=1.0).start(model, refused)
