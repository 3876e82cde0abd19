"""A finished run that names pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, get_type_hints

import torch
from torch.utils.data import DataLoader

from animeid.assembly.model import as_size, build_model, build_views, without_weights
from animeid.assembly.plan import FinalPlan, label_stats, whole
from animeid.config.check import check_value
from animeid.data.pictures import Picture
from animeid.data.settings import Incomplete
from animeid.data.unlabelled import UnlabelledDataset
from animeid.engine.devices import DTYPES, check_precision, choose_accelerator, default_workers
from animeid.engine.inference import as_predictions, predict_batches
from animeid.engine.precision import settle_precision
from animeid.engine.views import Views
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from animeid.inference.namer import Namer
from animeid.inference.requests import InferenceRequest
from animeid.models.classifier import Classifier
from animeid.models.inference import InferenceModel
from animeid.models.weights import load_classifier
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.runs.temperature import usable_temperature
from animeid.system.shared_memory import end_where_full, fitting_workers
from animeid.types import LabelStats, ModelOutput
from animeid.values import Tau


@dataclass(frozen=True, kw_only=True)
class Predictor(Namer):
    """The best model of a finished run, and how it answers.

        predictor = Predictor.load("outputs/my_run")
        predictions = predictor("pictures/")

    folder, plan, stats: the run, what it did, and its classes.
    model: pixels to logits, on its device and in evaluation mode.
    precision: float32, or what the network computes in under autocast.
    views: what each picture is seen in; None as it is.
    batch_size, num_workers: pictures that are answered together, and processes that read them.
    notes: sentences for the user about what answers.
    temperature: what logits are divided by before they become probabilities.
    incomplete: whether pictures that lack pixels are answered by what there is.
    """

    folder: RunFolder
    plan: FinalPlan
    stats: LabelStats
    model: InferenceModel
    precision: torch.dtype
    views: Views | None
    batch_size: int
    num_workers: int
    notes: tuple[str, ...] = ()
    temperature: float = 1.0
    incomplete: bool = False

    @classmethod
    def load(
        cls,
        run: str | Path,
        *,
        accelerator: str = "auto",
        precision: str = "auto",
        views: Views | Mapping[str, Any] | Literal["own"] | None = "own",
        adjustment: Tau = 0.0,
        batch_size: int | Literal["auto"] = 32,
        num_workers: int | Literal["auto"] = "auto",
        temperature: float | Literal["auto"] = "auto",
        incomplete: Incomplete | None = None,
    ) -> Self:
        """Builds what answering needs and no more; no weights are fetched from anywhere else.

        Args:
            run: the folder of a run.
            accelerator: `auto`, `cpu`, `gpu`, `cuda` or `mps`.
            precision: `32-true`, `bf16-mixed` or `16-mixed`; `auto` is the run's own on the accelerator that it was
                trained on, elsewhere what suits.
            views: test-time augmentation, or its card; `own` is the run's.
            adjustment: tau of post-hoc logit adjustment; `auto` is the best on the run's validation part.
            batch_size: pictures that are answered together; `auto` is the run's.
            num_workers: processes that read pictures, of many; `auto` suits machine and accelerator.
            temperature: of the probabilities of `names`; `auto` is what the run fitted on validation, where it helps
                there and the run answers as it did then.
            incomplete: what becomes of pictures that lack pixels, as `data.incomplete` in training; None is the run's.

        Raises:
            InputError: there is no such run, or it cannot answer so.
        """
        _check(accelerator=accelerator, precision=precision, logit_adjustment=adjustment)
        _check(batch_size=batch_size, num_workers=num_workers)
        if isinstance(views, str) and views != "own":
            raise InputError(f"views={views} is neither own nor a card: give Views(...), a card as a mapping, or None")
        folder = RunFolder.open(run)
        device = choose_accelerator(accelerator, key="accelerator")
        plan, labels = FinalPlan.read(folder.config), SavedRun(folder).labels
        stats = label_stats(plan, labels)
        offset, notes = None, [folder.unfinished_note] if folder.unfinished_note else []
        if adjustment != 0:
            from animeid.inference.adjustment import logit_offset  # reads tables, which few need

            offset, told = logit_offset(folder, plan, stats, adjustment)
            notes += told
        # What is wrong with the request is told by now: what follows takes long.
        classifier = build_model(without_weights(plan), len(labels))
        load_classifier(classifier, folder.best, labels)
        dtype = inference_precision(plan, classifier, device, precision)
        if temperature == "auto":
            answers_as_then = offset is None and views == "own"
            temperature = 1.0
            if answers_as_then:
                temperature, why = usable_temperature(SavedRun(folder), str(folder.path))
                notes.append(why)
        return cls(
            folder=folder,
            plan=plan,
            stats=stats,
            model=InferenceModel.of(classifier, offset).to(device).eval(),
            precision=dtype,
            views=build_views(views, plan),
            batch_size=whole(plan.data.batch_size) if batch_size == "auto" else batch_size,
            num_workers=default_workers(device) if num_workers == "auto" else num_workers,
            notes=tuple(notes),
            temperature=temperature,
            incomplete=(incomplete or plan.data.incomplete) == "keep",
        )

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Self:
        """The predictor that a command asks for (see `animeid.inference.requests.InferenceRequest`)."""
        return cls.load(
            request["run"],
            accelerator=request["accelerator"],
            precision=request["precision"],
            views=request["tta"],
            adjustment=request["logit_adjustment"],
            batch_size=request["batch_size"],
            num_workers=request["num_workers"],
            temperature=request.get("temperature", 1.0),
            incomplete=request.get("incomplete"),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""
        return self.stats.names

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of what the model sees."""
        return as_size(self.plan.data.image_size)

    @cached_property
    def transform(self) -> EvalTransform:
        """Pictures of any size to those that the model sees."""
        return EvalTransform(self.image_size, self.plan.data.crop_pct)

    def answers(self, pictures: list[Picture]) -> Iterator[tuple[Predictions, Sequence[str]]]:
        return ((as_predictions(batch["row"], output), batch["error"]) for batch, output in self.batches(pictures))

    def batches(self, pictures: list[Picture]) -> Iterator[tuple[dict[str, Any], ModelOutput]]:
        """Answers as they come, with progress; the model's device has them.

        Returns:
            Batches, of whose keys `row` `[B]` are the places of the pictures, and `error` says of each why it could
            not be read, or is empty; and the answers to them. What cannot be read is answered as a black picture.
        """
        dataset = UnlabelledDataset(pictures, self.transform, self.plan.data.max_pixels, incomplete=self.incomplete)
        batch_bytes = 3 * self.batch_size * math.prod(self.image_size)
        workers = fitting_workers(self.num_workers, batch_bytes) if len(pictures) > self.batch_size else 0
        loader = DataLoader(
            dataset,
            self.batch_size,
            num_workers=workers,
            collate_fn=UnlabelledDataset.collate,
            worker_init_fn=end_where_full,
        )
        return predict_batches(self.model, loader, "naming pictures", self.precision, self.views)


def _check(**settings: Any) -> None:
    """Raises:
    InputError: a setting is none that the commands take.
    """
    types = get_type_hints(InferenceRequest, include_extras=True)
    for name, value in settings.items():
        check_value(name, value, types[name])


def inference_precision(plan: FinalPlan, classifier: Classifier, accelerator: str, asked: str = "auto") -> torch.dtype:
    """The precision in which a finished run answers: its own on the accelerator that it was trained on."""
    check_precision(accelerator, asked, key="precision")
    if asked == "auto":
        is_own = accelerator == plan.trainer.accelerator
        depthwise = classifier.backbone.has_depthwise
        asked = plan.trainer.precision if is_own else settle_precision(accelerator, depthwise).precision
    return DTYPES[asked]
