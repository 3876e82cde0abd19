"""The rows of the ladder: what each changes, and how its answers come about."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.long_tail.sets import Set
from experiments.runs import OUTPUTS

Kind = Literal["train", "folds", "stage", "evaluate", "timm"]
BASE = "cross_entropy"
SMALL = "scale=small"
STAGE_SHARE = 4
"""A second stage has a quarter of the epochs."""
COSINE = ("head=cosine", "head.scale=30", "head.learn_scale=false")
"""As the paper of LDAM has it; the largest margin is half of the scale, 0.5 in cosines."""


@dataclass(frozen=True)
class Row:
    """A row.

    kind: a run of its own, a run a fold, a second stage on or another evaluation of the cross entropy run, timm's loop.
    arguments: beside what all rows of a set have in common; `{epochs}` is their number.
    """

    name: str
    label: str
    kind: Kind
    arguments: tuple[str, ...] = ()

    @property
    def is_version(self) -> bool:
        """Whether it is the small variant of a card of an experiment."""
        return SMALL in self.arguments

    @property
    def is_whole(self) -> bool:
        """Whether it says itself how is trained: a version, or a recipe."""
        return self.is_version or any(given.startswith("recipe=") for given in self.arguments)

    @property
    def is_derived(self) -> bool:
        """Whether it works on the run of cross entropy."""
        return self.kind in ("stage", "evaluate", "timm")


ROWS = (
    Row(BASE, "cross entropy", "train"),
    Row("balanced_softmax", "balanced softmax = logit adjustment in the loss", "train", ("loss=balanced_softmax",)),
    Row("inverse_weights", "weights 1/n", "train", ("loss=class_balanced", "loss.beta=0.999999")),
    Row("class_aware", "class-balanced sampling", "train", ("sampler=class_aware",)),
    Row("timm", "timm's loop, its defaults", "timm"),
    Row("focal", "focal", "train", ("loss=focal",)),
    Row("class_balanced", "class-balanced weights", "train", ("loss=class_balanced",)),
    Row("dynamic", "dynamic sampler", "train", ("sampler=dynamic",)),
    Row("mixing", "mixup and CutMix", "train", ("mixing=mixup_cutmix",)),
    Row("cosine_head", "cosine head alone", "train", COSINE),
    Row("ldam_drw", "LDAM-DRW on the cosine head", "train", ("loss=ldam_drw", "loss.loss.max_margin=15", *COSINE)),
    Row("post_hoc", "logit adjustment, post-hoc", "evaluate", ("logit_adjustment=1.0", "tta=none")),
    Row(
        "post_hoc_auto",
        "post-hoc, tau by validation",
        "evaluate",
        ("logit_adjustment=auto", "tta=none"),
    ),
    Row("crt", "cRT", "stage", ("stage=crt",)),
    Row("tau_norm", "tau-norm", "stage", ("stage=tau_norm",)),
    Row("auto", "recipe=auto", "train", ("recipe=auto",)),
    Row("ema", "EMA", "train", ("averaging=ema",)),
    Row("swa", "SWA", "train", ("averaging=swa",)),
    Row("deep_supervision", "deep supervision", "train", ("deep_supervision=taps",)),
    Row("tta", "TTA, six views", "evaluate", ("tta=flip_scales",)),
    Row("folds", "ensemble of folds", "folds", ("data.folds={folds}", "data.fold=all")),
    Row("v1", "v1", "train", ("experiment=v1", SMALL)),
    Row("v2", "v2", "train", ("experiment=v2", SMALL, "averaging.start_epoch=auto")),
    Row("v2_1", "v2.1", "folds", ("experiment=v2_1", SMALL, "averaging.start_epoch=auto", "data.folds={folds}")),
    Row("v3", "v3", "folds", ("experiment=v3", SMALL)),
    Row("v4", "v4", "train", ("experiment=v4", SMALL)),
    Row("character_b0", "character_b0", "train", ("experiment=character_b0", SMALL)),
    Row("character_mobilenet", "character_mobilenet", "train", ("experiment=character_mobilenet", SMALL)),
    Row("four_models", "four_models", "train", ("experiment=four_models", SMALL)),
)
CARDS = (
    Row("rebalanced", "dynamic sampler and focal loss", "train", ("experiment=rebalanced",)),
    Row("everything", "all of them together", "train", ("experiment=everything",)),
)
"""Cards of several techniques, on sets that name them. The others of one technique are rows of their names above."""
TECHNIQUES = ("deep_supervision", "ema", "mixing", "swa", *(row.name for row in CARDS))
"""Rows whose names are those of cards of techniques."""
SMOKE = (BASE, "post_hoc", "tta", "crt", "folds", "timm", "auto")
"""Rows of the smoke ladder: each kind, and two that judge one run at the same time."""


@dataclass(frozen=True)
class Job:
    """A row on a set with a seed."""

    row: Row
    set: Set
    seed: int

    @property
    def name(self) -> str:
        return f"long_tail-{self.set.name}-{self.row.name}-{self.seed}"

    @property
    def folder(self) -> Path:
        """Where the answers to the test part will be."""
        if self.row.kind == "evaluate":
            return OUTPUTS / self.base / "evaluations" / self.row.name
        return OUTPUTS / self.name / "ensemble" if self.row.kind == "folds" else OUTPUTS / self.name

    @property
    def base(self) -> str:
        """The name of the run of cross entropy on the same set with the same seed."""
        return f"long_tail-{self.set.name}-{BASE}-{self.seed}"

    @property
    def needs(self) -> str | None:
        """The job that must be done before."""
        return self.base if self.row.is_derived else None

    @property
    def is_done(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    @property
    def command(self) -> list[str]:
        python = [sys.executable, "-m"]
        if self.row.kind == "timm":
            return [
                *python,
                "experiments.long_tail.timm_row",
                self.base,
                self.name,
                f"{self.seed}",
                f"{self.set.epochs}",
            ]
        if self.row.kind == "evaluate":
            return [*python, "experiments.long_tail.judged_again", self.base, self.row.name, *self.row.arguments]
        common = [f"run_id={self.name}", "resume=auto", f"seed={self.seed}", "logger=none"]
        if self.row.kind == "stage":
            epochs = max(self.set.epochs // STAGE_SHARE, 1)
            own = [f"from_run={OUTPUTS / self.base}", f"trainer.max_epochs={epochs}"]
            return [*python, "animeid.train", *common, *own, *self.row.arguments]
        recipe = [] if any(given.startswith("recipe=") for given in self.row.arguments) else ["recipe=none"]
        given = [argument.format(epochs=self.set.epochs, folds=self.set.folds) for argument in self.row.arguments]
        epochs = [f"trainer.max_epochs={self.set.epochs}"]
        setting = [] if self.row.is_whole else self.set.setting
        own = [*self.set.network, *self.set.overrides, *epochs, *setting]
        return [*python, "animeid.train", *common, *recipe, *own, *given]


def rows_on(set_: Set) -> list[Row]:
    """The rows that are done on a set, in their order."""
    return [row for row in (*ROWS, *CARDS) if row.name in set_.rows] if set_.rows else list(ROWS)
