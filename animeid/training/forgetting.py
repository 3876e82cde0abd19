"""Forgetting: what a run that added classes has lost of those that the earlier run knew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from animeid.assembly.run import Components
from animeid.data.prepare import Prepared
from animeid.inference.predictor import Predictor
from animeid.metrics.evaluate import evaluate_several
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import say


def forgetting(
    components: Components, prepared: Prepared, answers: Mapping[str, Predictions]
) -> dict[str, dict[str, dict[str, Any]]]:
    """`{part: {"before": figures, "after": figures}}` on the judged pictures of the classes that both runs know.

    Before, the earlier run names them among the classes that both know; after, this run names them among all of its
    own, so that a picture that is taken for an added class counts as lost.

    Args:
        answers: of the judged parts.

    Returns:
        Nothing where the run starts from no other, or adds no class to it.
    """
    plan, labels = components.plan, prepared.labels
    if plan["from_run"] is None or plan.get("stage"):
        return {}
    earlier = RunFolder(Path(plan["from_run"]))
    if not earlier.labels.is_file():
        say(f"WARNING: {earlier.path} is gone, so that what was forgotten of its classes cannot be told")
        return {}
    theirs = SavedRun(earlier).labels
    common = [name for name in theirs if name in set(labels)]
    if not common or len(common) == len(labels):
        return {}
    own = np.array([labels.index(name) for name in common])
    columns = [theirs.index(name) for name in common]
    predictor = Predictor.load(earlier.path, accelerator=plan.trainer.accelerator, num_workers=0)
    table, found = prepared.manifest.table, {}
    for part, answer in answers.items():
        known = np.isin(table["target"].to_numpy()[answer.rows], own)
        if not known.any():
            continue
        rows = table.iloc[answer.rows[known]]
        asked = predictor([prepared.manifest.root / path for path in rows["path"]])
        kept = asked.rows  # what cannot be read any more is left out of both
        named = {
            "before": own[asked.logits[:, columns].argmax(axis=1)],
            "after": answer.logits[known][kept].argmax(axis=1),
        }
        targets, groups = rows["target"].to_numpy()[kept], rows["group"].to_numpy(dtype=str)[kept]
        found[part] = evaluate_several(named, targets, groups, components.stats)
    return found
