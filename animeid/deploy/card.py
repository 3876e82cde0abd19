"""The model card of an artefact: `README.md` with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from animeid.deploy.card_engines import engines_text
from animeid.deploy.card_text import HOW_TO_USE, LIMITS, NOT_ALL_TEXT, TRAINED_ON_TEXT, UNTOLD_TEXT
from animeid.system.console import counted

FIGURES = {
    "acc_micro": "pictures named rightly",
    "acc_macro": "the same, averaged over characters",
    "f1_macro": "F1, averaged over characters",
    "many/f1": "F1 of characters with many training pictures",
    "medium/f1": "F1 of those between",
    "few/f1": "F1 of those with few",
    "top5": "right name among the five likeliest",
    "ece": "calibration error of the probabilities",
}
"""Figures of the card, and what they mean."""
HELD_OUT = {
    "test": "which training did not see",
    "val": "by which the best epoch was chosen, so that they flatter somewhat",
    "twin": "answered by a twin that was trained without them; this network has learnt them too",
}
METRICS = {"acc_micro": "accuracy", "f1_macro": "f1"}
"""Figures of the front matter, by the names that the hub has for them."""
LONG_TAIL = 5
"""How many times as many pictures the commonest character has where a long tail is spoken of."""
TAIL = ": a long tail, in which rare characters are known less well"
SMALLEST = 5
"""How many of the smallest classes are named."""


def card(
    config: Mapping[str, Any],
    figures: Mapping[str, Any] | str,
    parity: Mapping[str, Any] | None,
    licences: Mapping[str, str | None],
) -> str:
    """The text of the card.

    Args:
        config: `config.json`.
        figures: `metrics.json`, or why there is none.
        parity: `parity.json`, where pictures were there to compare engines by.
        licences: `weights` and `pictures`, as whoever exports states them; None is not stated.
    """
    own = config["animeid"]
    front = yaml.safe_dump(front_matter(own, figures, licences), allow_unicode=True, sort_keys=False)
    parts = [
        f"---\n{front}---",
        f"# {own['run_id']}",
        _what(own),
        "## Use",
        HOW_TO_USE.format(timm=_timm(own), size=own["input"]["size"]),
        "## Pictures it was trained on",
        _data(own),
        "## Figures",
        _figures(figures),
        "## Engines",
        engines_text(parity),
        "## What it must not be used for",
        LIMITS.format(classes=len(own["classes"])),
        "## Licences",
        _licences(own, licences),
        "## Where it comes from",
        _origin(own),
    ]
    return "\n\n".join(parts) + "\n"


def front_matter(
    own: Mapping[str, Any], figures: Mapping[str, Any] | str, licences: Mapping[str, str | None]
) -> dict[str, Any]:
    """What the hub reads of a card; what is not known is left out."""
    alone = len(own["networks"]) == 1 and own["networks"][0]["timm"] != "nothing"
    found: dict[str, Any] = {
        "library_name": "timm" if alone else "onnx",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "animeid", "onnx", "anime", *(["timm"] if alone else [])],
    }
    if licences["weights"]:
        found["license"] = licences["weights"]
    repositories = [origin for origin in own["weights"]["origin"] if origin.startswith("timm/")]
    if repositories:
        found["base_model"] = sorted(set(repositories))
    if not isinstance(figures, str):
        found["metrics"] = list(METRICS.values())
        found["model-index"] = [_index(own, figures)]
    return found


def _index(own: Mapping[str, Any], figures: Mapping[str, Any]) -> dict[str, Any]:
    part = figures["judged"]
    data = {"type": "private", "name": f"data {own['data']['fingerprint'][:12]}", "split": part}
    values = [
        {"type": kind, "name": name, "value": figures[part][name]}
        for name, kind in METRICS.items()
        if figures[part].get(name) is not None
    ]
    task = {"type": "image-classification"}
    return {"name": own["run_id"], "results": [{"task": task, "dataset": data, "metrics": values}]}


def _what(own: Mapping[str, Any]) -> str:
    height, width = own["input"]["size"]
    names = " and ".join(dict.fromkeys(network["architecture"] for network in own["networks"]))
    networks = len(own["networks"])
    together = (
        f"{networks} networks ({names}) that answer by the mean of their probabilities" if networks > 1 else names
    )
    return (
        f"Names the character in a picture, one of {len(own['classes']):,}: {together}, for pictures of {height} x "
        f"{width} pixels. Exported by {own['created_by']}."
    )


def _timm(own: Mapping[str, Any]) -> str:
    """What timm loads of the artefact."""
    networks = own["networks"]
    if len(networks) > 1:
        places = ", ".join(f"`{network['folder']}`" for network in networks)
        return (
            f"timm loads one network at a time, as `local-dir:` of {places}; together they are in `model.onnx` alone."
        )
    if networks[0]["timm"] == "nothing":
        return (
            f"Not loadable by timm: {networks[0]['reason']}. `model.onnx` holds all of it; `model.safetensors` has the "
            "weights, and `config.json` under `animeid.networks` the shape of each tensor that is smaller."
        )
    if networks[0]["timm"] == "classifier":
        views = "" if own["views"] == 1 else f" of one view; those of `model.onnx` are of {own['views']}"
        return f'The same logits{views} with timm: `timm.create_model("local-dir:FOLDER", pretrained=True)`.'
    return (
        f"timm loads the network without its classifier, for {networks[0]['reason']}: "
        '`timm.create_model("local-dir:FOLDER", pretrained=True)` gives embeddings of the backbone; the names are in '
        "`model.onnx`."
    )


def _data(own: Mapping[str, Any]) -> str:
    counts: Sequence[int] = own["class_counts"]
    order = sorted(range(len(counts)), key=lambda index: counts[index])
    smallest = ", ".join(f"{own['classes'][index]} ({counts[index]})" for index in order[:SMALLEST])
    groups = ", ".join(f"{len(members)} {group}" for group, members in own["shot_groups"].items())
    long_tail = max(counts) >= LONG_TAIL * min(counts)
    return (
        f"{counted(sum(counts), 'picture')} of {counted(len(counts), 'character')}, {max(counts):,} of the commonest "
        f"and {min(counts):,} of the rarest{TAIL if long_tail else ''}. Characters by the number of their training "
        f"pictures: {groups}. The rarest: {smallest}. Names and counts of all are in `labels.json`.\n\n"
        + _trained_on(own["trained_on"])
    )


def _trained_on(told: Mapping[str, Any] | None) -> str:
    if told is None:
        return UNTOLD_TEXT
    text = TRAINED_ON_TEXT.format(pictures=counted(told["pictures"], "picture"))
    return text if told["complete"] else f"{text}\n\n{NOT_ALL_TEXT}"


def _figures(figures: Mapping[str, Any] | str) -> str:
    if isinstance(figures, str):
        return f"None: {figures}."
    part = figures["judged"]
    found = figures[part]
    held_out = HELD_OUT["twin" if "by_twin" in figures else part]
    rows = [
        f"| {meaning} | `{name}` | {found[name]:.3f} | {_interval(found.get(f'{name}_ci'))} |"
        for name, meaning in FIGURES.items()
        if found.get(name) is not None
    ]
    head = ["| | figure | | 95 % interval |", "| --- | --- | --- | --- |"]
    return "\n".join(
        [
            f"Of {counted(found['support'], 'picture')} of the {part} part, {held_out}.",
            "All figures, by character too, are in `metrics.json`.",
            "",
            *head,
            *rows,
        ]
    )


def _interval(ends: Sequence[float] | None) -> str:
    return "too few pictures" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _licences(own: Mapping[str, Any], licences: Mapping[str, str | None]) -> str:
    began = "; ".join(dict.fromkeys(own["weights"]["origin"]))
    theirs = f" ({own['weights']['licence']})" if own["weights"]["licence"] else ""
    return "\n".join(
        [
            f"- These weights: {licences['weights'] or 'not stated; ask whoever exported them'}.",
            f"- The weights that training began with: {began}{theirs}.",
            f"- The pictures: {licences['pictures'] or 'not stated; characters in them may be owned by others'}.",
        ]
    )


def _origin(own: Mapping[str, Any]) -> str:
    return (
        f"Run `{own['run_id']}`, data `{own['data']['fingerprint']}`. The version of this artefact is the first 16 "
        "digits of the SHA-256 of `checksums.txt`; `animeid.artefacts.artefact.Artefact.load` refuses it where a byte "
        "differs."
    )
