"""What heads share that look at the last feature map."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from animeid.models.heads.linear import LinearHead


class LastMapHead(LinearHead):
    """A linear layer on embeddings that are made of the backbone's and its last feature map (see `contract`).

    Args:
        in_features: the length of the embeddings that are made.
        num_classes: C.
        dropout: share of the embedding's values dropped in training.
    """

    taps = (-1,)

    def embed(self, embedding: Tensor, maps: Sequence[Tensor]) -> Tensor:
        return self.embed_map(embedding, maps[0])

    def embed_map(self, embedding: Tensor, features: Tensor) -> Tensor:
        """The backbone's embeddings `[B, D]` and the last map `[B, c, h, w]` to the head's embeddings `[B, E]`."""
        raise NotImplementedError
