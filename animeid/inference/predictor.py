"""The model of a finished run, ready to answer."""

from __future__ import annotations

import torch
from torch import nn

from animeid.assembly.checks import check_precision
from animeid.assembly.model import build_model, without_weights
from animeid.assembly.module import build_module
from animeid.assembly.plan import FinalPlan, label_stats
from animeid.assembly.run import LOSS
from animeid.engine.devices import DTYPES, choose_precision
from animeid.engine.module import CharacterModule
from animeid.models.checkpoint import read_torch
from animeid.models.weights import load_classifier
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.types import LabelStats


def answering_precision(plan: FinalPlan, module: CharacterModule, accelerator: str, asked: str = "auto") -> torch.dtype:
    """The precision in which a finished run answers: its own on the accelerator that it was trained on."""
    check_precision(accelerator, asked)
    if asked == "auto":
        is_own = accelerator == plan.trainer.accelerator
        depthwise = module.model.backbone.has_depthwise  # type: ignore[union-attr]
        asked = plan.trainer.precision if is_own else choose_precision(accelerator, bool(depthwise))
    return DTYPES[asked]


def load_run(folder: RunFolder) -> tuple[FinalPlan, LabelStats, CharacterModule]:
    """The plan, the classes and the best model of a finished run; no weights are fetched from anywhere else."""
    if folder.unfinished_note:
        say(folder.unfinished_note)
    plan = FinalPlan.read(folder.config)
    labels = folder.read_labels()
    stats = label_stats(plan, labels)
    model = build_model(without_weights(plan), len(labels))
    load_classifier(model, folder.best, labels)
    module = build_module(plan, stats, model)
    load_loss(module, folder)
    return plan, stats, module.eval()


def load_loss(module: CharacterModule, folder: RunFolder) -> None:
    """Gives the module's loss what it has learnt in a run, such as class weights."""
    state = read_torch(folder.best, mmap=True)["state_dict"]
    own = {name.removeprefix(LOSS): tensor for name, tensor in state.items() if name.startswith(LOSS)}
    if isinstance(module.loss, nn.Module):
        module.loss.load_state_dict(own, strict=False)
