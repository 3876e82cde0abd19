"""Contract of heads.

A head is an `nn.Module` that is built with `in_features` (D of the backbone) and `num_classes` (C), then with the
values of its card. It answers embeddings `[B, D]` with logits `[B, C]`.

A head that needs feature maps is built with `tap_channels` as well, names in `taps` those that it wants, and has a
second method, `embed`, which makes its own embeddings of the backbone's and the maps. What `embed` gives is both
`ModelOutput.embedding` and what `forward` sees, so that `head(output.embedding)` always gives `output.logits`, and
whoever keeps embeddings (retrieval, new classes) has those that decide.

A head that ends in a linear layer, by the lengths of whose class vectors classes differ, is a `VectorHead`: a second
stage may change them.

A head that holds pictures' own classes back in training has a method `with_margin`; its logits are then those of
training alone, and `head(embedding)` stays what inference answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


class Head(Protocol):
    """Embeddings to logits."""

    def __call__(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to logits `[B, C]`."""
        ...


@runtime_checkable
class MapHead(Head, Protocol):
    """A head whose constructor takes `tap_channels`, the channels of the feature map after each stage.

    taps: the stages whose maps `embed` gets, in its order, counted from 0; -1 is the last.
    """

    taps: tuple[int, ...]

    def embed(self, embedding: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """The backbone's embeddings `[B, D]` and maps, each `[B, c, h, w]`, to the head's embeddings `[B, E]`.

        It uses both: weights that nothing depends on get no gradient, which distributed training refuses.
        """
        ...


@runtime_checkable
class MarginHead(Head, Protocol):
    """A head whose logits in training depend on the target."""

    def with_margin(self, embedding: Tensor, target: Tensor) -> Tensor:
        """`[B, D]`, for pictures of `target [B]` or `[B, C]`, to logits `[B, C]`."""
        ...


class VectorHead(nn.Module):
    """A head whose last layer has a vector for each class, the length of which counts.

    linear: that layer.
    """

    linear: nn.Linear
