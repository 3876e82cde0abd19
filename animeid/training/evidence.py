"""Evidence behind figures: calibration and heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from animeid.data.datamodule import CharacterDataModule
from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.explain.grad_cam import grad_cam, heat
from animeid.metrics.calibration import calibrate
from animeid.metrics.worst import worst_first
from animeid.models.inference import InferenceModel
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.system.files import atomic, write_json


def save_evidence(
    folder: RunFolder,
    answers: Mapping[str, Predictions],
    manifest: Manifest,
    data: CharacterDataModule,
    model: InferenceModel,
) -> None:
    """Writes `calibration.json` and `cams.npz` of a run.

    Args:
        folder: of the run.
        answers: of the judged parts, in the order in which they are judged: the last one's worst answers are explained.
        manifest: of the run.
        data: reads the pictures.
        model: what answered; it stays where it is, in evaluation mode.
    """
    targets = manifest.table["target"].to_numpy()
    judged = {part: (answer.logits, targets[answer.rows]) for part, answer in answers.items()}
    groups = manifest.table["group"].to_numpy(str)
    write_json(folder.calibration, calibrate(judged, groups[answers["val"].rows] if "val" in answers else None))
    if judged:
        last = list(answers)[-1]
        worst = worst_first(*judged[last])
        save_cams(folder, answers[last].rows[worst], answers[last].logits[worst].argmax(axis=1), data, model)


def save_cams(
    folder: RunFolder, rows: np.ndarray, classes: np.ndarray, data: CharacterDataModule, model: InferenceModel
) -> None:
    """Writes `cams.npz`: `row` `[K]` int64, and `cam` `[K, H, W]` uint8, the heat over each picture as evaluation sees
    it; a network without feature maps has none, which is said.

    Args:
        folder: of the run.
        rows: `[K]`, of the manifest.
        classes: `[K]`, the answer that is explained.
        data: reads the pictures.
        model: what answered.
    """
    answer_of = dict(zip(rows.tolist(), classes.tolist(), strict=True))
    batches = [
        (batch["image"], torch.tensor([answer_of[row] for row in batch["row"].tolist()]))
        for batch in data.evaluation_dataloader(rows)
    ]
    try:
        cams = heat_of(batches, model)
    except InputError as error:
        # The sentence ends in what to do about it, and a run that is done needs nothing done.
        say(f"no Grad-CAM for this network: {str(error).rpartition(': ')[0]}")
        return
    with atomic(folder.cams) as stream:
        np.savez_compressed(stream, row=rows.astype(np.int64), cam=cams)


def heat_of(batches: Sequence[tuple[Tensor, Tensor]], model: InferenceModel) -> np.ndarray:
    """`[K, H, W]` uint8: where each picture speaks for a class, in single precision whatever the run's.

    Args:
        batches: uint8 pictures `[B, 3, H, W]`, and the class of each, `[B]`.
        model: what answers.

    Raises:
        InputError: the network has no feature maps that its answers depend on.
    """
    classifier, device = model.eval().classifier, model.device
    size, padding = classifier.backbone.image_size, classifier.backbone.padding
    found = [
        heat(grad_cam(classifier, model.normalise(image.to(device)), classes.to(device)), size, padding).cpu().numpy()
        for image, classes in batches
    ]
    return np.concatenate(found) if found else np.zeros((0, *size), np.uint8)
