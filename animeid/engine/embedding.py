"""Embeddings of a network that stays as it is, each computed once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from animeid.data.cache.vectors import VectorStore
from animeid.data.datamodule import CharacterDataModule
from animeid.engine.inference import as_predictions, predict_each
from animeid.engine.module import CharacterModule
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import MapHead
from animeid.predictions import Predictions, row_blocks
from animeid.system.console import say
from animeid.terms import UNKNOWN_TARGET
from animeid.types import ModelOutput


def digest_of(normalise: nn.Module, classifier: Classifier, head_card: Mapping[str, Any], *facts: object) -> str:
    """Hexadecimal SHA-256 of all that makes a model's embeddings, and of what else decides them.

    Of a head that makes its own, all weights but the class vectors count, and what its card says but dropout, which
    embeds nothing: a layer's name does not tell all of its settings.

    Args:
        head_card: the head's request, `_target_` and values.
        facts: what else moves an embedding.
    """
    backbone, head = classifier.backbone, classifier.head
    tensors = [*normalise.state_dict().values(), *backbone.state_dict().values()]
    if isinstance(head, MapHead):
        tensors += [tensor for name, tensor in head.state_dict().items() if not name.startswith("linear.")]
        settings = sorted((key, str(value)) for key, value in head_card.items() if key != "dropout")
        facts = (*facts, settings, tuple(head.taps))
    found = sha256(repr((str(normalise), str(backbone), facts)).encode())
    for tensor in tensors:
        found.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return found.hexdigest()


class Embedder:
    """Embeds pictures of a run whose backbone is not trained; all that it was asked for stays in memory.

    Args:
        module: of the run, on the device where it answers.
        data: of the run.
        contents: `[N]` SHA-256 of each manifest row's file; none where none are kept.
        precision: in which the backbone computes.
        home: of vectors that are kept for other runs; None keeps none.
        head_card: the request of the run's head.
    """

    def __init__(
        self,
        module: CharacterModule,
        data: CharacterDataModule,
        contents: Sequence[str],
        precision: torch.dtype,
        home: Path | None,
        head_card: Mapping[str, Any],
    ) -> None:
        self.module, self.data, self.contents = module, data, np.asarray(contents)
        self.precision, self.home, self.head_card = precision, home, head_card
        self.known: dict[int, np.ndarray] = {}

    @cached_property
    def store(self) -> VectorStore | None:
        """What keeps the vectors of this backbone; asked for when its weights are those that answer."""
        if self.home is None:
            return None
        answering = self.module.inference_model
        seen = (self.data.image_size, self.data.evaluation.resized, str(self.precision))
        return VectorStore(self.home, digest_of(answering.normalise, answering.classifier, self.head_card, *seen))

    def of(self, rows: np.ndarray, what: str) -> Tensor:
        """`[K, D]` float32 of these manifest rows; `what` is said of the work."""
        self._look_up([row for row in rows.tolist() if row not in self.known])
        missing = np.array([row for row in rows.tolist() if row not in self.known], np.int64)
        if len(missing):
            self._compute(missing, what)
        return torch.from_numpy(np.stack([self.known[row] for row in rows.tolist()]))

    def answers(self, rows: np.ndarray, what: str) -> Iterator[Predictions]:
        """What the run's head says to these rows, some at a time."""
        embeddings, device = self.of(rows, what), next(self.module.parameters()).device
        targets = torch.from_numpy(self.data.table.targets[rows])
        with torch.inference_mode():
            for block in row_blocks(len(rows), 4 * embeddings.shape[1]):
                some, target = embeddings[block].to(device), targets[block].to(device)
                output = ModelOutput(self.module.model.head(some), some)  # type: ignore[operator]
                losses = self.module.losses(output, {"target": target})  # type: ignore[typeddict-item]
                losses = losses.masked_fill(target == UNKNOWN_TARGET, float("nan"))
                yield as_predictions(torch.from_numpy(rows[block]), output, losses)

    def _look_up(self, rows: Sequence[int]) -> None:
        if self.store is None or not rows:
            return
        found = self.store.read(self.contents[rows].tolist())
        self.known |= {rows[place]: vector for place, vector in found.items()}
        if found:
            say(f"{len(found)} of {len(rows)} embeddings are those that an earlier run left in {self.store.home}")

    def _compute(self, rows: np.ndarray, what: str) -> None:
        loader = self.data.evaluation_dataloader(rows)
        answers = predict_each(self.module.inference_model, loader, what, self.precision)
        fresh = {int(row): vector for one in answers for row, vector in zip(one.rows, one.embeddings, strict=True)}
        self.known |= fresh
        if self.store is None:
            return
        if not self.store.add(self.contents[list(fresh)].tolist(), np.stack(list(fresh.values()))):
            say(f"the next run computes embeddings anew: {self.store.home} cannot be written")
