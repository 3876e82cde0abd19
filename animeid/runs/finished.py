"""What a finished run saved, as its page needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest, read_manifest
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml
from animeid.terms import EVALUATED_SPLITS


@dataclass(frozen=True)
class Saved:
    """The files of a run, each read once.

    metrics: `metrics.json`. part: what the page is about, `test`, or `val` where there is no test part.
    """

    folder: RunFolder
    metrics: Mapping[str, Any]
    part: str

    @classmethod
    def of(cls, folder: RunFolder) -> Saved:
        """Raises:
        InputError: the run has not finished, or judged nothing.
        """
        if not folder.is_finished:
            raise InputError(
                f"{folder.path} has no {folder.metrics.name}, so that there is nothing to report: "
                "let the run finish (the same command with resume=auto), or give another run"
            )
        metrics = json.loads(folder.metrics.read_text(encoding="utf-8"))
        part = next((part for part in reversed(EVALUATED_SPLITS) if metrics.get(part)), None)
        if part is None:
            raise InputError(f"{folder.path} has neither a test nor a val part, so that there is nothing to report")
        return cls(folder, metrics, part)

    @property
    def judged(self) -> Mapping[str, Any]:
        """The figures of the part that the page is about."""
        return self.metrics[self.part]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return self.folder.read_labels()

    @cached_property
    def plan(self) -> dict[str, Any]:
        return read_yaml(self.folder.config)

    @cached_property
    def manifest(self) -> Manifest:
        return read_manifest(self.folder.manifest)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """`predictions.parquet` with the numbers of the classes that were named, `answer`."""
        table = pd.read_parquet(self.folder.predictions)
        number = {label: target for target, label in enumerate(self.labels)}
        return table.assign(answer=table["predicted"].map(number).astype(np.int64))

    @cached_property
    def positions(self) -> np.ndarray:
        """`[N]` int64: the rows of `predictions` of the part's pictures that belong to a class."""
        table = self.predictions
        return np.flatnonzero(((table["split"] == self.part) & (table["target"] >= 0)).to_numpy())

    @cached_property
    def logits(self) -> np.ndarray:
        return np.load(self.folder.logits, mmap_mode="r")

    @cached_property
    def embeddings(self) -> np.ndarray:
        return np.load(self.folder.embeddings, mmap_mode="r")
