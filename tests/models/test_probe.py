"""The linear probe: what scales embeddings ends in the head."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead
from animeid.models.probe import LinearProbe, Scaling
from animeid.optim.linear_fit import Linear, fit_linear

TARGETS = torch.arange(40) % 4


def classifier(head: type[nn.Module] = LinearHead) -> Classifier:
    backbone = TimmBackbone("test_resnet", pretrained=False, image_size=(32, 32))
    return Classifier(backbone, head(backbone.num_features, 4)).eval()


def losses(logits: Tensor) -> Tensor:
    return functional.cross_entropy(logits, TARGETS, reduction="none")


def test_scaled_embeddings_have_mean_square_one() -> None:
    embeddings = 3 + 5 * torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    scaled = Scaling.of(embeddings)(embeddings)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(7).double(), atol=1e-12, rtol=0)
    assert float(scaled.square().mean()) == pytest.approx(1)


def test_a_folded_scaling_leaves_the_logits() -> None:
    random = torch.Generator().manual_seed(0)
    embeddings = 3 + 5 * torch.randn(50, 7, generator=random).double()
    scaling = Scaling.of(embeddings)
    linear = Linear(torch.randn(4, 7, generator=random).double(), torch.randn(4, generator=random).double())
    torch.testing.assert_close(scaling.folded(linear)(embeddings), linear(scaling(embeddings)))


def test_embeddings_that_are_all_alike_do_not_divide_by_zero() -> None:
    assert Scaling.of(torch.ones(5, 3)).spread == 1


def test_the_head_answers_as_the_fit_does() -> None:
    model, random = classifier(), torch.Generator().manual_seed(0)
    embeddings = 0.5 + 0.1 * torch.randn(40, model.backbone.num_features, generator=random)
    note = LinearProbe(penalty=0.05).fit_head(model, embeddings, losses)
    scaling = Scaling.of(embeddings)
    expected = fit_linear(scaling(embeddings), losses, 4, penalty=0.05)(scaling(embeddings))
    torch.testing.assert_close(model.head(embeddings).double(), expected, atol=1e-4, rtol=0)
    assert "40 training pictures with a penalty of 0.05" in note


def test_a_head_without_class_vectors_is_refused() -> None:
    with pytest.raises(InputError, match="CosineHead is none: take head=linear"):
        LinearProbe().fit_head(classifier(CosineHead), torch.zeros(40, 1), losses)
