"""`python -m animeid.predict`: names pictures that have no labels."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch.utils.data import DataLoader

from animeid.assembly.model import as_size, build_views
from animeid.assembly.planning import default_workers
from animeid.data.files import FileDataset, find_pictures
from animeid.engine.devices import choose_accelerator
from animeid.engine.inference import output_of
from animeid.engine.module import CharacterModule
from animeid.engine.trainer import quieten
from animeid.engine.views import Views
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from animeid.inference.adjustment import adjust_logits
from animeid.inference.predictor import answering_precision, load_run
from animeid.predictions import top_k
from animeid.runs.folder import RunFolder
from animeid.system.console import as_text, say, say_beside
from animeid.system.files import atomic
from animeid.system.output import check_output
from animeid.system.progress import progress

Answer = dict[str, Any]


def named(logits: torch.Tensor, labels: tuple[str, ...], k: int) -> list[list[Answer]]:
    """The `k` likeliest names of each picture with their probabilities, from logits `[B, C]`."""
    order, probabilities = top_k(logits.float().cpu().numpy(), k)
    return [
        [{"label": labels[index], "probability": float(value)} for index, value in zip(*pair, strict=True)]
        for pair in zip(order, probabilities, strict=True)
    ]


@torch.inference_mode()
def answers(
    module: CharacterModule,
    loader: DataLoader,
    labels: tuple[str, ...],
    k: int,
    precision: torch.dtype,
    views: Views | None = None,
) -> Iterator[Answer]:
    """One answer a file: its path and either its names or the reason why there are none."""
    paths = loader.dataset.paths  # type: ignore[attr-defined]
    for indices, pictures, reasons in progress(loader, len(loader), "naming pictures"):
        names = named(output_of(module, pictures.to(module.device), precision, views).logits, labels, k)
        for index, reason, name in zip(indices, reasons, names, strict=True):
            yield {"path": as_text(paths[index]), "names": [] if reason else name, "error": reason}


def as_row(answer: Answer, k: int) -> list[str]:
    """A CSV row: path, error, then label and probability k times."""
    row = [answer["path"], answer["error"]]
    for name in answer["names"]:
        row += [name["label"], f"{name['probability']:.6f}"]
    return row + [""] * (2 + 2 * k - len(row))


def header(k: int) -> list[str]:
    columns = ["path", "error"]
    for place in range(1, k + 1):
        columns += [f"label_{place}", f"probability_{place}"]
    return columns


def write(found: Iterator[Answer], stream: IO[str], as_csv: bool, k: int) -> tuple[int, list[Answer]]:
    """Writes answers as they come; returns how many there were and those without names."""
    writer = csv.writer(stream)
    if as_csv:
        writer.writerow(header(k))
    total, broken = 0, []
    for answer in found:
        total += 1
        if answer["error"]:
            broken.append(answer)
        if as_csv:
            writer.writerow(as_row(answer, k))
        else:
            stream.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return total, broken


def predict(request: dict[str, Any]) -> None:
    """Names the pictures of `request["input"]` with the model of `request["run"]`."""
    output = check_output(request["output"], (".csv", ".jsonl"))
    folder = RunFolder.open(request["run"])
    paths = find_pictures(request["input"])
    accelerator = choose_accelerator(request["accelerator"])
    quieten()
    plan, stats, module = load_run(folder)
    for note in adjust_logits(folder, plan, stats, module, request["logit_adjustment"]):
        say_beside(note)
    precision = answering_precision(plan, module, accelerator)
    module = module.to(accelerator)
    k = min(request["top_k"], stats.num_classes)
    data = plan["data"]
    transform = EvalTransform(as_size(data["image_size"]), data["crop_pct"])
    workers = default_workers(accelerator) if len(paths) > request["batch_size"] else 0
    dataset = FileDataset(paths, transform, data["max_pixels"])
    loader = DataLoader(dataset, request["batch_size"], num_workers=workers, collate_fn=FileDataset.collate)
    views = build_views(request["tta"], plan)
    began = time.perf_counter()
    found = answers(module, loader, stats.names, k, precision, views)
    if output is None:
        try:
            total, broken = write(found, sys.stdout, as_csv=True, k=k)
            sys.stdout.flush()
        except BrokenPipeError:  # who reads the answers wants no more of them
            leave_stdout()
            return
    else:
        with atomic(output, "w") as stream:
            total, broken = write(found, stream, as_csv=output.suffix == ".csv", k=k)
    if views is not None:
        say_beside(views.told(total, time.perf_counter() - began))
    report(total, broken, output)


def leave_stdout() -> None:
    """Lets what is still buffered for a closed pipe go nowhere, so that nothing is said of it when Python ends."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def report(total: int, broken: list[Answer], output: Path | None) -> None:
    """Says what came out; on standard error where standard output holds the answers."""
    for answer in broken[:5]:
        say_beside(f"not named: {answer['path']}: {answer['error']}")
    if len(broken) == total:
        raise InputError(f"none of the {total} files could be read as a picture: see the reasons above")
    if broken:
        say_beside(f"{len(broken)} of {total} files could not be read")
    if output:
        say(f"{total - len(broken)} pictures named in {output}")
