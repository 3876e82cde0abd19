"""The stage that mixes finished runs: finds them, checks that they belong together, and mixes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.plan import FinalPlan
from animeid.assembly.transfer import Earlier
from animeid.config.second_stage import LEARNT_BY
from animeid.data.datamodule import CharacterDataModule
from animeid.engine.devices import DTYPES
from animeid.engine.inference import predict_each
from animeid.engine.module import CharacterModule
from animeid.engine.settings import TrainerSettings
from animeid.errors import InputError
from animeid.metrics.adjustment import f1_macro
from animeid.metrics.ranking import standing
from animeid.models.batch_norms import differing_norms, renew_statistics
from animeid.models.checkpoint import read_checkpoint, read_torch
from animeid.models.soup import State, greedy_soup, mean_state
from animeid.models.weights import load_classifier
from animeid.runs.comparison import basis
from animeid.runs.find import each_once, matching
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import write_answers
from animeid.system.console import counted
from animeid.terms import SPLITS


@dataclass(frozen=True)
class SoupResult:
    """What came of mixing runs.

    note: which runs there are in a soup. seconds: that it took. earlier_s: of training all runs to choose from.
    shown: `[C]` float64, the class distribution that the mixed runs' kept epochs showed on average; None where one of
    them does not say.
    """

    note: str
    seconds: float
    earlier_s: float
    shown: Tensor | None


def mix_soup(
    pattern: str, earlier: Earlier, module: CharacterModule, data: CharacterDataModule, trainer: TrainerSettings
) -> SoupResult:
    """Puts the soup of a pattern's runs into the module.

    Statistics of batch norm are estimated anew for every mean, from training pictures: the mean of statistics is not
    that of the mean's. They are drawn as in the epoch that the best run kept, but for what a sampler or an augmentation
    had learnt by then.

    Args:
        trainer: of a final plan, whose device and precision are used.

    Raises:
        InputError: the runs do not belong together, or there is no validation part to choose on.
    """
    rows, began = data.rows("val"), time.perf_counter()
    if not len(rows):
        raise InputError("stage=soup chooses on validation, and the data has no val part: set data.val_ratio above 0")
    runs, device, model = ingredients(pattern, earlier), torch.device(trainer.accelerator), module.model
    data.epoch.fill_(read_torch(runs[0].folder.best, mmap=True)["epoch"])
    states: list[State] = []
    for run in runs:
        load_classifier(model, run.folder.best, earlier.labels)
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})

    def fill(members: Sequence[int]) -> None:
        """Puts the mean of these states into the model."""
        model.load_state_dict(states[members[0]] if len(members) == 1 else mean_state([states[m] for m in members]))
        if len(members) > 1:
            norms = differing_norms(model, [states[m] for m in members])
            images = (batch["image"].to(device) for batch in data.fresh_train_dataloader())
            renew_statistics(module.to(device), norms, images)

    def score(members: Sequence[int]) -> float:
        fill(members)
        return validated(module.to(device), data, rows, trainer.precision)

    taken, scores = greedy_soup(len(states), score)
    fill(taken)
    module.cpu()
    names = ", ".join(str(runs[place].folder.path) for place in taken)
    seconds, earlier_s = time.perf_counter() - began, sum(run.training_s or 0.0 for run in runs)
    note = (
        f"the soup is the mean of {len(taken)} of {counted(len(runs), 'run')} ({names}): f1_macro on validation "
        f"{scores[-1]:.3f}, "
        f"{scores[0]:.3f} of the best run alone; it took {seconds:.1f} s"
    )
    return SoupResult(note, seconds, earlier_s, mean_effective_prior([runs[place].folder for place in taken]))


def mean_effective_prior(runs: Sequence[RunFolder]) -> Tensor | None:
    """`[C]` float64: the class distribution that the runs' kept epochs showed on average; None if one is not known."""
    known = [prior for run in runs if (prior := effective_prior(run, FinalPlan.read(run.config))) is not None]
    return torch.stack(known).mean(0) if len(known) == len(runs) else None


def validated(module: CharacterModule, data: CharacterDataModule, rows: np.ndarray, precision: str) -> float:
    """f1_macro on the validation part."""
    loader = data.evaluation_dataloader(rows)
    answers = predict_each(module.eval().inference_model, loader, "answering val", DTYPES[precision])
    with TemporaryDirectory() as folder:
        files = Path(folder, "logits.npy"), Path(folder, "embeddings.npy")
        found = write_answers(*files, {"val": answers})["val"]
        return f1_macro(found.logits, data.table.targets[found.rows])


def ingredients(pattern: str, earlier: Earlier) -> list[FinishedRun]:
    """The runs of a pattern and the earlier one, the best by validation first.

    Raises:
        InputError: there is no other run than the earlier one, or one has another network, head, classes, parts, loss
            or sampler: what answers mean, and how they are adjusted afterwards, depends on these.
    """
    folders = each_once([folder for folder in (earlier.folder, *matching(pattern)) if folder.is_finished])
    if len(folders) < 2:
        raise InputError(
            f"stage.runs={pattern} finds no finished run beside from_run: give a pattern that finds others"
        )
    runs = [FinishedRun(RunFolder.open(folder.path)) for folder in folders]
    first = signature_of(runs[0])
    for run in runs[1:]:
        if signature_of(run) != first:
            raise InputError(
                f"{run.folder.path} has another network, head, classes, picture size, parts, loss or sampler than "
                f"{runs[0].folder.path}, so that their weights have no mean: give runs that differ in seed, in how "
                "fast or, with a sampler that stays the same, in how long they were trained"
            )
    return best_first(runs)


def best_first(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """The runs by validation; the order of equals stays."""
    return sorted(
        runs, key=lambda run: standing(run.figure("val", "f1_macro") or 0.0, run.figure("val", "loss")), reverse=True
    )


def signature_of(run: FinishedRun) -> tuple[Any, ...]:
    """What runs of one soup agree in; all parts are the same, since a soup is chosen on validation."""
    plan, tensors = FinalPlan.read(run.folder.config), read_checkpoint(run.folder.best).tensors
    shapes = sorted((name, tuple(tensor.shape)) for name, tensor in tensors.items())
    learnt_by = {name: plan[name] for name in LEARNT_BY}
    return plan["model"]["name"], plan["data"]["image_size"], basis(run, SPLITS), shapes, learnt_by
