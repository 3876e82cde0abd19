"""Train, val and test read together: what their figures say about one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from animeid.metrics.adjustment import f1_macro_of
from animeid.reporting.wording import percent
from animeid.runs.finished import FinishedRun

GAP = 0.1
"""A difference of f1_macro that is worth a sentence, where chance does not explain it."""
SATURATED = 0.99
GOOD = 0.95
LOW_TRAIN = 0.8
WIDE = 0.2
"""An interval that is so wide says little."""


@dataclass(frozen=True)
class Part:
    """f1_macro of a part with its 95 % interval, which small parts have not, and the pictures that it is of."""

    f1: float
    low: float | None = None
    high: float | None = None
    pictures: int = 0

    @classmethod
    def of(cls, figures: dict[str, Any] | None) -> Self | None:
        if not figures or figures["f1_macro"] is None:
            return None
        low, high = figures.get("f1_macro_ci") or (None, None)
        return cls(figures["f1_macro"], low, high, figures["support"])

    @property
    def is_saturated(self) -> bool:
        return self.f1 >= SATURATED

    def is_below(self, other: float) -> bool:
        """Whether it is lower by more than chance explains, and by enough to matter."""
        return self.high is not None and other - self.f1 >= GAP and self.high < other


@dataclass(frozen=True, kw_only=True)
class Parts:
    """How well the weights that are kept answer each part; None where there is none, or it was not answered.

    colours: f1_macro of the colour histogram's baseline on the judged part.
    pictures_a_class: training pictures of the median class.
    has_random_start: whether training began from random weights.
    """

    train: float | None = None
    val: Part | None = None
    test: Part | None = None
    colours: float | None = None
    pictures_a_class: float = 0.0
    has_random_start: bool = False

    @classmethod
    def of(cls, run: FinishedRun) -> Self:
        baselines = run.metrics["baselines"].get(run.part, {})
        return cls(
            train=_f1_macro(run, "train"),
            val=Part.of(run.metrics["val"]),
            test=Part.of(run.metrics["test"]),
            colours=baselines.get("colour_histogram", {}).get("f1_macro"),
            pictures_a_class=float(np.median(run.plan["facts"]["counts"])),
            has_random_start=run.plan["facts"]["weights"]["source"] == "random",
        )

    @property
    def judged(self) -> Part | None:
        return self.test or self.val

    @property
    def is_shifted(self) -> bool:
        """Whether test is answered worse than validation, as pictures of another kind are."""
        return self.val is not None and self.test is not None and self.test.is_below(self.val.f1)

    @property
    def is_easier(self) -> bool:
        return self.val is not None and self.test is not None and self.val.is_below(self.test.f1)

    @property
    def over_fits(self) -> bool:
        """Whether new pictures of the kind of training are answered worse than those of training."""
        held_out = self.val or self.test
        return held_out is not None and self.train is not None and held_out.is_below(self.train)


def _f1_macro(run: FinishedRun, split: str) -> float | None:
    """f1_macro of a split from the saved answers; None where it was not answered."""
    at, classes = run.positions_in(split), len(run.labels)
    if not len(at):
        return None
    return f1_macro_of(run.predictions["answer"].to_numpy()[at], run.targets[at], classes)


def read_together(parts: Parts) -> list[str]:
    """Sentences about the parts, what would help most first."""
    return [
        sentence
        for say in (_shifted, _easier, _saturated, _random_start, _over_fitted, _under_fitted, _uncertain)
        for sentence in say(parts)
    ]


def _shifted(parts: Parts) -> Iterator[str]:
    if not parts.is_shifted:
        return
    assert parts.val is not None and parts.test is not None
    train = "" if parts.train is None else f" and {percent(parts.train)} in training"
    easy = " It is so easy that it tells neither epochs nor settings apart." if parts.val.is_saturated else ""
    yield (
        f"Test is of another kind than validation: f1_macro is {percent(parts.test.f1)} in test, "
        f"{percent(parts.val.f1)} in validation{train}, and chance does not explain that.{easy} What is chosen on such "
        "a validation part need not be good for test. Pictures of test's kind (its artists, styles or sources) in "
        "training and in validation would help most; next, pictures that are changed more (augment=medium or strong)."
    )


def _easier(parts: Parts) -> Iterator[str]:
    if parts.is_easier:
        assert parts.val is not None and parts.test is not None
        yield (
            f"Test is easier than validation: f1_macro is {percent(parts.test.f1)} against {percent(parts.val.f1)}. "
            "Look whether test has simpler pictures, or some that are much like training's: its figure may flatter."
        )


def _saturated(parts: Parts) -> Iterator[str]:
    if parts.val is None or not parts.val.is_saturated or parts.is_shifted:
        return
    if parts.test is None or parts.test.is_saturated:
        which = "Validation is" if parts.test is None else "Validation and test are"
        by_colour = (
            f" Colours alone reach {percent(parts.colours)}: a background or a palette may give the classes away."
            if parts.colours is not None and parts.colours >= 1 - GAP
            else ""
        )
        yield (
            f"{which} answered with hardly an error, so that nothing that is tried next can show there.{by_colour} "
            "Before you believe it, judge the model on pictures from other sources: "
            "python -m animeid.evaluate run=THIS_RUN data.root=FOLDER."
        )
    else:
        yield (
            "Validation is answered with hardly an error, so that it tells neither epochs nor settings apart: make it "
            "larger (data.val_ratio) or give it harder pictures, as test has them."
        )


def _random_start(parts: Parts) -> Iterator[str]:
    if parts.has_random_start and parts.judged is not None and parts.judged.f1 < GOOD:
        yield (
            "The network began from RANDOM weights, which costs most where pictures are few (half of the classes have "
            f"at most {parts.pictures_a_class:.0f} for training): begin from published ones with a connection to the "
            "hub, or from a file with model.weights=FILE, or from an earlier run with from_run=outputs/RUN."
        )


def _over_fitted(parts: Parts) -> Iterator[str]:
    held_out = parts.val or parts.test
    if parts.over_fits and held_out is not None and parts.train is not None:
        name = "validation" if parts.val else "test"
        yield (
            f"The model over-fits: f1_macro is {percent(parts.train)} on the pictures that it learnt and "
            f"{percent(held_out.f1)} in {name}. More training pictures help most against that; without them, pictures "
            "that are changed more (augment=medium or strong, mixing=mixup_cutmix)."
        )


def _under_fitted(parts: Parts) -> Iterator[str]:
    if parts.train is not None and parts.train < LOW_TRAIN and not parts.over_fits:
        yield (
            f"Even the training pictures are answered with an f1_macro of {percent(parts.train)} only: train longer "
            "(trainer.max_epochs), with larger pictures (data.image_size) or a larger model."
        )


def _uncertain(parts: Parts) -> Iterator[str]:
    part = parts.judged
    if part is not None and part.low is not None and part.high is not None and part.high - part.low > WIDE:
        yield (
            f"{part.pictures} judged pictures are few: f1_macro lies somewhere from {percent(part.low)} to "
            f"{percent(part.high)}. Changes of less than that show on a larger part only."
        )
