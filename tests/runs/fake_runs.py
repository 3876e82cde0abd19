"""Folders of finished runs without any training: three classes, and answers by a generator of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest, complete
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import save_predictions
from animeid.system.files import write_json, write_yaml
from animeid.terms import SPLITS

LABELS = ("初音ミク", "b", "c")
PARTS = ("train",) * 6 + ("val",) * 3 + ("test",) * 4 + ("unknown",)


def fake_manifest(
    root: Path, splits: Sequence[str] = PARTS, names: Sequence[str] = "abcdefghijklmn", labels: Sequence[str] = LABELS
) -> Manifest:
    """A picture a split; its content is known by its name."""
    targets = [-1 if split == "unknown" else place % len(labels) for place, split in enumerate(splits)]
    table = pd.DataFrame(
        {
            "path": [f"{name}.png" for name in names],
            "sha256": [f"content of {name}" for name in names],
            "label": [labels[target] if target >= 0 else "stranger" for target in targets],
            "target": targets,
            "split": list(splits),
            "group": [f"group {name}" for name in names],
        }
    )
    return Manifest(complete(table), root)


def fake_run(path: Path, manifest: Manifest, labels: Sequence[str] = LABELS, seed: int = 0) -> RunFolder:
    """The files of a finished run on a manifest."""
    folder, random = RunFolder(path), np.random.default_rng(seed)
    folder.create()
    splits = manifest.table["split"]
    answers = {}
    for split in SPLITS:
        rows = np.flatnonzero((splits == split).to_numpy())
        logits = random.normal(size=(len(rows), len(labels))).astype(np.float32)
        losses = random.random(len(rows)).astype(np.float32)
        answers[split] = Predictions(rows, logits, random.normal(size=(len(rows), 4)).astype(np.float32), losses)
    save_predictions(folder, answers, manifest, tuple(labels))
    manifest.write(folder.manifest)
    write_json(folder.labels, list(labels))
    write_yaml(folder.config, {"data": {"max_pixels": 10**6}})
    write_json(folder.environment, {"judged_fingerprint": "of the pictures"})
    write_json(folder.calibration, {"temperature": 1.5, "parts": {"test": {"ece": 0.2, "ece_scaled": 0.1}}})
    pd.DataFrame({"epoch": [0], "lr": [0.1]}).to_csv(folder.history, index=False)
    for table in (folder.skipped, folder.conflicts):
        pd.DataFrame({"path": [], "reason": []}).to_csv(table, index=False)
    np.savez(folder.cams, row=np.array([9]), cam=np.zeros((1, 2, 2), np.uint8))
    figures = {
        part: {"f1_macro": 0.5, "f1_macro_ci": [0.4, 0.6], "per_class": []} if (splits == part).any() else None
        for part in ("val", "test")
    }
    write_json(folder.metrics, {**figures, "cost": {"train_s": 2.0, "earlier_s": 3.0}})
    folder.best.touch()
    return folder
