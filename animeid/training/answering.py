"""Answers of a run's best weights, written as they come: each process has a share, which the first one collects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from animeid.assembly.model import build_views
from animeid.assembly.plan import FinalPlan
from animeid.assembly.run import Components
from animeid.engine.devices import DTYPES, own_device
from animeid.engine.inference import predict_each
from animeid.predictions import Predictions, merge
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import read_answers, write_answers
from animeid.system.files import atomic
from animeid.system.launcher import own_rank
from animeid.terms import ANSWERED


def answered(plan: FinalPlan) -> tuple[str, ...]:
    """The parts that a plan's run answers, where it has pictures of them."""
    # Plans of earlier versions have no such keys.
    left_out = {"test": not plan.get("test", True), "train": plan.get("embeddings", "on") == "off"}
    return tuple(part for part in ANSWERED if not left_out.get(part, False))


def answer(components: Components, parts: Sequence[str], logits: Path, embeddings: Path) -> dict[str, Predictions]:
    """The best model's answers for this process's share of every part that has pictures, in these files."""
    return write_answers(logits, embeddings, _each_part(components, parts))


def answer_more(
    folder: RunFolder, components: Components, before: Mapping[str, Predictions], parts: Sequence[str]
) -> dict[str, Predictions]:
    """Writes the answers for more parts behind those that the run's files hold; returns all."""
    kept = {part: answers.blocks() for part, answers in before.items()}
    return write_answers(folder.logits, folder.embeddings, {**kept, **_each_part(components, parts)})


def _each_part(components: Components, parts: Sequence[str]) -> dict[str, Iterator[Predictions]]:
    components.module.to(own_device(components.plan.trainer.accelerator)).eval()
    rows = {part: components.data.rows(part) for part in parts}
    return {part: _answer_part(components, part, own) for part, own in rows.items() if len(own)}


def _answer_part(components: Components, part: str, rows: np.ndarray) -> Iterator[Predictions]:
    module, plan, embedder = components.module, components.plan, components.embedder
    # Views have embeddings of their own, and a backbone that was trained has others.
    if embedder is not None and components.stage.fits_head and not plan.get("tta"):
        yield from embedder.answers(rows, f"answering {part}")
        return
    yield from predict_each(
        module.inference_model,
        components.data.evaluation_dataloader(rows),
        f"answering {part}",
        DTYPES[plan.trainer.precision],
        build_views("own", plan),
        module.losses,
    )


def answer_share(folder: RunFolder, components: Components, number: int) -> dict[str, Predictions]:
    """This process's share of a run's answers, in files of its own where the run has other processes."""
    rank = own_rank().rank
    files = (folder.logits, folder.embeddings) if number == 1 else share_files(folder, rank)
    return answer(components, answered(components.plan), *files)


def hand_over(folder: RunFolder, answers: dict[str, Predictions], rank: int) -> None:
    """Writes what the files of process `rank`, among all of the run, do not say, for the first one to collect."""
    small = {f"{part}/{name}": vars(own)[name] for part, own in answers.items() for name in ("rows", "losses")}
    with atomic(_share_index(folder, rank)) as stream:
        np.savez(stream, **small)


def collect(folder: RunFolder, own: dict[str, Predictions], number: int) -> dict[str, Predictions]:
    """The answers of all `number` processes, every picture once, in the order of the manifest."""
    if number == 1:
        return own
    shares = [own, *(_handed_over(folder, rank, tuple(own)) for rank in range(1, number))]
    merged = {part: merge([share[part] for share in shares]) for part in own}
    answers = write_answers(folder.logits, folder.embeddings, merged)
    for rank in range(number):
        for path in (*share_files(folder, rank), _share_index(folder, rank)):
            path.unlink(missing_ok=True)
    return answers


def _handed_over(folder: RunFolder, rank: int, parts: Sequence[str]) -> dict[str, Predictions]:
    with np.load(_share_index(folder, rank)) as stored:
        rows, losses = ({part: stored[f"{part}/{name}"] for part in parts} for name in ("rows", "losses"))
    return read_answers(*share_files(folder, rank), rows, losses)


def share_files(folder: RunFolder, rank: int) -> tuple[Path, Path]:
    """Of logits and of embeddings that process `rank` of several writes."""
    return folder.path / f".answers-{rank}-logits.npy", folder.path / f".answers-{rank}-embeddings.npy"


def _share_index(folder: RunFolder, rank: int) -> Path:
    return folder.path / f".answers-{rank}.npz"
