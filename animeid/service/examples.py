"""Examples of OpenAPI: answers of an artefact of six characters, as they were sent."""

from __future__ import annotations

from typing import Any

ANSWER: dict[str, Any] = {
    "request_id": "5f0a1d3c9b2e7784",
    "model": "default",
    "version": "1e2ab7865782629d",
    "character": "Ren Kagurazaka",
    "confidence": 0.18244174122810364,
    "margin": 0.009912624955177307,
    "names": [
        {"label": "Ren Kagurazaka", "probability": 0.18244174122810364},
        {"label": "Mei Amamiya", "probability": 0.17252911627292633},
    ],
    "references": [],
    "picture": "45832df88e683b77cfcebe42513daa44d9a5379dc2e70f3ea74722c1a79090ec",
    "source": "network",
    "milliseconds": 9.3,
}
ANSWERS: dict[str, Any] = {
    "request_id": "5f0a1d3c9b2e7784",
    "model": "default",
    "version": "1e2ab7865782629d",
    "answers": [
        {
            "request_id": "5f0a1d3c9b2e7784",
            "model": "default",
            "version": "1e2ab7865782629d",
            "character": "Ren Kagurazaka",
            "confidence": 0.18244174122810364,
            "margin": 0.009912624955177307,
            "names": [{"label": "Ren Kagurazaka", "probability": 0.18244174122810364}],
            "references": [],
            "picture": "45832df88e683b77cfcebe42513daa44d9a5379dc2e70f3ea74722c1a79090ec",
            "source": "network",
            "milliseconds": 8.0,
        },
        {"picture": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "error": "not a picture"},
    ],
    "milliseconds": 8.1,
}
MODELS: dict[str, Any] = {
    "aliases": {"default": "1e2ab7865782629d"},
    "shadow": None,
    "unknown_below": 0.0,
    "versions": [
        {
            "version": "1e2ab7865782629d",
            "aliases": ["default"],
            "run_id": "finished",
            "architectures": ["test_efficientnet"],
            "classes": 6,
            "training_pictures": 29,
            "size": [32, 32],
            "engine": "onnxruntime",
            "precision": "float32",
            "references": 0,
            "judged": "test",
            "watched": [],
            "unwatched": "nothing says what its answers to judged pictures were like, so that no drift is seen: export "
            "it again",
            "acc_macro": 0.16666666666666666,
            "acc_macro_ci": [0.0035968650793650747, 0.3369301984126984],
            "f1_macro": 0.09477124183006536,
            "f1_macro_ci": [0.007801490761628893, 0.2395578976758394],
        }
    ],
}
CHARACTERS: dict[str, Any] = {
    "version": "1e2ab7865782629d",
    "total": 6,
    "characters": [
        {"name": "Mei Amamiya", "names": {}, "series": None, "pictures": 3},
        {"name": "Ren Kagurazaka", "names": {}, "series": None, "pictures": 3},
    ],
}
CHARACTER: dict[str, Any] = {
    "name": "江天佑",
    "names": {},
    "series": None,
    "pictures": 4,
    "version": "1e2ab7865782629d",
    "judged": "test",
    "figures": {
        "label": "江天佑",
        "support": 3,
        "groups": 3,
        "train_count": 4,
        "shot_group": "few",
        "precision": 0.0,
        "precision_ci": None,
        "recall": 0.0,
        "recall_ci": None,
        "f1": 0.0,
        "f1_ci": None,
    },
    "references": [],
}
CHANGED: dict[str, Any] = {
    "aliases": {"default": "1e2ab7865782629d", "next": "1e2ab7865782629d"},
    "shadow": None,
    "generation": 1,
}
RESCANNED: dict[str, Any] = {"found": {"1e2ab7865782629d": "artefact_2026_11"}}
HEALTH: dict[str, Any] = {
    "live": True,
    "ready": True,
    "reason": "",
    "models": {"default": "1e2ab7865782629d"},
    "queue": 0,
    "places": 64,
    "alarms": [],
}
READY: dict[str, Any] = {"ready": True, "reason": ""}
LIVE: dict[str, Any] = {"live": True}

FEEDBACK: dict[str, Any] = {
    "request_id": ANSWER["request_id"],
    "version": ANSWER["version"],
    "picture": ANSWER["picture"],
    "answered": "Ren Kagurazaka",
    "verdict": "wrong",
    "character": "江天佑",
}
QUEUED: dict[str, Any] = {"queued": True}
INFER: dict[str, Any] = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["iVBORw0KGgo="]}]}
INFERRED: dict[str, Any] = {
    "model_name": "default",
    "model_version": ANSWER["version"],
    "outputs": [
        {
            "name": "label",
            "datatype": "BYTES",
            "shape": [1, 2],
            "data": [name["label"] for name in ANSWER["names"]],
        },
        {
            "name": "probability",
            "datatype": "FP32",
            "shape": [1, 2],
            "data": [name["probability"] for name in ANSWER["names"]],
        },
        {"name": "character", "datatype": "BYTES", "shape": [1, 1], "data": [ANSWER["character"]]},
    ],
}
METADATA: dict[str, Any] = {
    "name": "default",
    "versions": [ANSWER["version"]],
    "platform": "onnxruntime_float32",
    "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
    "outputs": [
        {"name": "label", "datatype": "BYTES", "shape": [-1, -1]},
        {"name": "probability", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "character", "datatype": "BYTES", "shape": [-1, -1]},
    ],
}

BINARY = {"type": "string", "format": "binary"}


def form(field: str, several: bool) -> dict[str, Any]:
    """What OpenAPI is told of a body with pictures."""
    kind: dict[str, Any] = {"type": "array", "items": BINARY, "minItems": 1, "maxItems": 10} if several else BINARY
    shape = {"type": "object", "required": [field], "properties": {field: kind}}
    raw = {"application/octet-stream": {"schema": BINARY}, "image/*": {"schema": BINARY}}
    return {"required": True, "content": {"multipart/form-data": {"schema": shape}, **({} if several else raw)}}
