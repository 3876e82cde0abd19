"""What stands under our key in an artefact's `config.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from animeid.artefacts.layout import FORMAT, ONNX
from animeid.assembly.transfer import published_origin
from animeid.inference.predictor import Predictor
from animeid.runs.saved import SavedRun
from animeid.system.environment import data_fingerprint
from animeid.terms import SHOT_GROUPS

RESIZE = "pillow-bilinear"
"""How `animeid.imaging.resize` does it."""


def own_facts(predictors: Sequence[Predictor], networks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of runs of the same classes; what must be one is the first's.

    Args:
        networks: `folder`, `architecture`, `tensors` and `timm` of each run's network.
    """
    first = predictors[0]
    alone = len(predictors) == 1
    offset = first.model.offset
    backbone = first.model.classifier.backbone
    groups = first.stats.shot_groups
    return {
        "format": FORMAT,
        "kind": "classifier",
        "run_id": "+".join(predictor.folder.name for predictor in predictors),
        "created_by": f"animeid {version('animeid')}",
        "classes": list(first.labels),
        "class_counts": first.stats.counts.tolist(),
        "shot_groups": {
            group: [index for index, found in enumerate(groups) if found == group] for group in SHOT_GROUPS
        },
        "class_prior_offset": offset.tolist() if alone and offset is not None else None,
        "offset_in_network": True,
        "temperature": first.temperature if alone and first.temperature != 1.0 else None,
        "views": max(1 if predictor.views is None else predictor.views.number for predictor in predictors),
        "input": {
            "size": list(first.image_size),
            "crop": first.plan.data.crop_pct,
            "resize": RESIZE,
            "mean": list(backbone.mean),
            "std": list(backbone.std),
            "layout": "NHWC uint8",
            "max_pixels": first.plan.data.max_pixels,
            "incomplete": first.incomplete,
        },
        "networks": list(networks),
        "data": data_facts(first),
        "weights": weights_facts(predictors),
        "engines": [{"name": "onnxruntime", "file": ONNX, "input": "uint8", "precision": "float32", "reason": "exact"}],
    }


def data_facts(predictor: Predictor) -> dict[str, Any]:
    """Which pictures a run was trained on."""
    return {
        "fingerprint": data_fingerprint(SavedRun(predictor.folder).manifest.table),
        "pictures": int(predictor.stats.counts.sum()),
        "classes": predictor.stats.num_classes,
    }


def weights_facts(predictors: Sequence[Predictor]) -> dict[str, Any]:
    """Where the weights come from that training began with, and their licence.

    origin: of each run, `random`, or whose they were. licence: of those; None where there is none to tell.
    """
    found = [predictor.plan.facts.weights for predictor in predictors]
    known = [published_origin(weights) for weights in found]
    licences = sorted({one["licence"] for one in known if "licence" in one})
    return {
        "origin": [_origin(weights, own) for weights, own in zip(found, known, strict=True)],
        "licence": " and ".join(licences) or None,
    }


def _origin(weights: Mapping[str, Any], known: Mapping[str, str]) -> str:
    said = [known[name] for name in ("repository", "package", "origin") if name in known]
    return ", ".join(said) or str(weights["source"])
