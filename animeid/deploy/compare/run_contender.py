"""A finished run as a model that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch

from animeid.deploy.compare.contender import Facts
from animeid.deploy.reading import Reader
from animeid.engine.devices import name_of
from animeid.engine.inference import output_of
from animeid.engine.operations import count_parameters, multiply_adds
from animeid.inference.predictor import Predictor


@dataclass(frozen=True)
class RunContender:
    """Answers with torch, as `animeid.predict run=` does."""

    predictor: Predictor

    @classmethod
    def open(cls, path: Path, accelerator: str) -> Self:
        """Raises:
        InputError: there is no such run, or not this accelerator.
        """
        return cls(Predictor.load(path, accelerator=accelerator, num_workers=0))

    @property
    def path(self) -> Path:
        return self.predictor.folder.path

    @property
    def image_size(self) -> tuple[int, int]:
        return self.predictor.image_size

    @cached_property
    def facts(self) -> Facts:
        model = self.predictor.model
        return Facts(
            kind="run",
            network=model.classifier.backbone.name,
            engine=f"PyTorch, {name_of(self.predictor.precision)}",
            device=model.device.type,
            image_size=self.image_size,
            parameters=count_parameters(model),
            multiply_adds=self.multiply_adds(),
            size_mb=self.predictor.folder.best.stat().st_size / 1e6,
        )

    @cached_property
    def reader(self) -> Reader:
        predictor = self.predictor
        return Reader(predictor.transform, predictor.plan.data.max_pixels, predictor.incomplete)

    def multiply_adds(self) -> int:
        """Those of one picture, in every view."""
        return multiply_adds(lambda: self.answer(np.zeros((1, *self.image_size, 3), np.uint8)))

    def answer(self, pixels: np.ndarray) -> np.ndarray:
        predictor = self.predictor
        with torch.inference_mode():
            image = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(predictor.model.device)
            # Bringing the logits to the host waits for the device.
            return output_of(predictor.model, image, predictor.precision, predictor.views).logits.float().cpu().numpy()

    def answer_many(self, pixels: np.ndarray) -> None:
        self.answer(pixels)

    def answer_files(self, paths: Sequence[Path]) -> np.ndarray:
        return self.answer(np.stack([self.reader(path)[0] for path in paths]))
