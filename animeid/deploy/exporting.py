"""Export: finished runs become an artefact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from timm.models import split_model_name_tag

from animeid.artefacts import hub
from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CARD, CONFIG, LABELS, MEANS, MEMBERS, METRICS, ONNX, OURS, PARITY, WEIGHTS
from animeid.artefacts.tensors import network_digest
from animeid.deploy.card import card
from animeid.deploy.judged import Judged, judged
from animeid.deploy.label_facts import label_facts
from animeid.deploy.network import ArtefactNetwork
from animeid.deploy.onnx_file import write_onnx
from animeid.deploy.own_facts import own_facts
from animeid.deploy.parity.pictures import ParityPictures, parity_pictures
from animeid.deploy.parity.proof import check_enough, prove
from animeid.deploy.references import write_references
from animeid.deploy.teaching_facts import teaching_facts
from animeid.deploy.timm_folder import as_timm, write_timm
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.inference.several import load_all
from animeid.inference.sorting import check_folder, filled
from animeid.metrics.table import pruning_line
from animeid.runs.finished import FinishedRun
from animeid.system.console import counted, say, say_beside
from animeid.system.files import read_json, write_json

ANSWERING = {"accelerator": "cpu", "precision": "32-true", "batch_size": 1, "num_workers": 0}
"""How a run is loaded to be exported; an artefact holds full precision, and no device."""


def export(request: Mapping[str, Any]) -> str:
    """Writes the runs of `request["run"]` as the artefact `request["output"]`, and returns its version."""
    if request["references"] and not request["trained_on"]:
        raise InputError(
            f"references={request['references']} shows training pictures, and trained_on=false tells of none: "
            "leave one of them out"
        )
    folder, repository = check_folder(request["output"]), request["push"]
    if repository:
        hub.check_push(repository)
    predictors = load_all({**request, **ANSWERING})
    check_alike(predictors)
    if request["not_accepted"] == "refuse":
        check_accepted(predictors)
    shown = parity_pictures(predictors, choose=request["compress"])
    if request["compress"]:
        check_enough(*shown)
    for note in dict.fromkeys(note for predictor in predictors for note in predictor.notes):
        say_beside(note)
    with filled(folder) as partial:
        write(partial, predictors, request, *shown)
        version = seal(partial)
    say(f"artefact {version} of {counted(len(predictors[0].labels), 'class')}: {folder}")
    if repository:
        say(f"pushed to {hub.push(folder, repository, version)}")
    return version


def write(
    folder: Path,
    predictors: Sequence[Predictor],
    request: Mapping[str, Any],
    pictures: ParityPictures,
    calibrating: ParityPictures,
) -> None:
    """Fills a folder with everything but the checksums.

    Args:
        pictures, calibrating: of `parity_pictures`.
    """
    networks = write_networks(folder, predictors)
    config = read_json(folder / CONFIG) if (folder / CONFIG).is_file() else {"label_names": list(predictors[0].labels)}
    own = {**own_facts(predictors, networks), **teaching_facts(folder, predictors, request["trained_on"])}
    write_json(folder / LABELS, label_facts(predictors[0]))
    figures = write_figures(folder, judged(predictors))
    network = ArtefactNetwork.of(predictors)
    if request["references"]:
        write_references(folder, predictors, network, request["references"])
    write_onnx(network, predictors[0].image_size, folder / ONNX)
    proof = prove(predictors, folder, pictures, calibrating, compress=request["compress"])
    if proof is not None:
        write_json(folder / PARITY, proof.record)
        own |= {"engines": proof.engines}
    write_json(folder / CONFIG, {**config, OURS: own})
    licences = {"weights": request["licence"], "pictures": request["pictures_licence"]}
    parity = None if proof is None else proof.record
    (folder / CARD).write_text(card({**config, OURS: own}, figures, parity, licences), encoding="utf-8")


def write_figures(folder: Path, found: Judged | str) -> dict[str, Any] | str:
    """Writes the figures and, where there are some, the class means that later pictures are compared with.

    Returns:
        The figures, or why there are none.
    """
    if isinstance(found, str):
        return found
    write_json(folder / METRICS, found.figures)
    if found.means is not None:
        np.savez(folder / MEANS, means=found.means.astype(np.float16))
    return found.figures


def write_networks(folder: Path, predictors: Sequence[Predictor]) -> list[dict[str, Any]]:
    """Writes each run's network as timm's, and returns what `config.json` says of them."""
    networks = []
    for number, predictor in enumerate(predictors, start=1):
        place = "." if len(predictors) == 1 else f"{MEMBERS}/{number}"
        network = as_timm(predictor)
        write_timm(folder / place, network, predictor)
        networks.append(
            {
                "folder": place,
                "architecture": split_model_name_tag(predictor.model.classifier.backbone.name)[0],
                "tensors": network_digest(folder / place / WEIGHTS),
                "timm": network.holds,
                "reason": network.reason,
                "run_id": predictor.folder.name,
                **shapes_of(predictor),
            }
        )
    return networks


def shapes_of(predictor: Predictor) -> dict[str, Any]:
    """The shape of each tensor that pruning made smaller; nothing of a whole network."""
    shapes = predictor.model.classifier.backbone.shapes
    return {"shapes": {name: list(shape) for name, shape in shapes.items()}} if shapes else {}


def check_accepted(predictors: Sequence[Predictor]) -> None:
    """Raises:
    InputError: a run was pruned and lost too much, or did not come to the end, where that is told.
    """
    for predictor in predictors:
        path = predictor.folder.path
        if not predictor.model.classifier.backbone.shapes:
            continue
        if not predictor.folder.is_finished:
            raise InputError(f"{path} was pruned and has not finished, so that what it lost is not known: let it go on")
        found = FinishedRun(predictor.folder).metrics.get("pruning")
        if found is not None and not found["accepted"]:
            raise InputError(
                f"{path} is not exported ({pruning_line(found)}): train it longer, prune less, or take "
                "not_accepted=export to have it all the same"
            )


def check_alike(predictors: Sequence[Predictor]) -> None:
    """Raises:
    InputError: runs that are to answer together see pictures of different sizes or crops.
    """
    first, *others = predictors
    for other in others:
        for what, seen, own in (
            ("data.image_size", other.image_size, first.image_size),
            ("data.crop_pct", other.plan.data.crop_pct, first.plan.data.crop_pct),
        ):
            if seen != own:
                raise InputError(
                    f"{other.folder.path} has {what}={seen} and {first.folder.path} {own}, so that one artefact cannot "
                    "prepare pictures for both: export runs that see them alike"
                )
