"""The compare command: finds models, judges and measures them in turn, and writes page and table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from animeid.artefacts.pace import cores
from animeid.data.files import find_pictures
from animeid.data.picture_files import format_of
from animeid.deploy.compare.comparison import MANY, Comparison, Model
from animeid.deploy.compare.contender import Contender, Kind
from animeid.deploy.compare.figures import EIGHT, EIGHT_FILES, ONE, ONE_FILE, THROUGHPUT
from animeid.deploy.compare.finding import classes_of, find_models, folder_of
from animeid.deploy.compare.fresh import Fresh, measure_fresh, open_contender
from animeid.deploy.compare.judging import Pictures, against, judge_all
from animeid.deploy.compare.page import Setting, write_models_page
from animeid.deploy.compare.table import write_table
from animeid.deploy.compare.timing import measure
from animeid.engine.devices import choose_accelerator
from animeid.engine.threads import own_threads
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES, UnreadableImage
from animeid.inference.sorting import check_folder, filled
from animeid.runs.finished import FinishedRun
from animeid.runs.names import names_of
from animeid.system.console import counted, say, say_beside
from animeid.system.load import Moment, Room
from animeid.system.progress import progress
from animeid.system.turns import Work

TOGETHER = 8
FILES = 32
"""Pictures that are read while times are measured."""
PAGE, TABLE = "comparison.html", "comparison.csv"


@own_threads()
def compare(request: Mapping[str, Any]) -> Comparison:
    """Compares the models of `request["models"]`, and writes the page and the table into `request["output"]`.

    Raises:
        InputError: there is no model, or they may not be compared.
    """
    folder = check_folder(request["output"])
    accelerator = choose_accelerator(request["accelerator"], key="accelerator")
    threads = cores() if request["threads"] == "auto" else request["threads"]
    found = find_models(request["models"])
    before = Moment.now()
    paths = [folder_of(model) for model in found.models]
    kinds: list[Kind] = ["run" if isinstance(model, FinishedRun) else "artefact" for model in found.models]
    room = Room.since(before)
    if room.is_busy:
        say_beside(f"other programs use {room.taken:.1f} of {counted(room.cores, 'core')}: times will be too long")
    judged, pictures = judge_all(found.models)
    pairs = list(zip(kinds, paths, strict=True))
    fresh = _fresh(pairs, accelerator, threads)
    contenders = [open_contender(kind, path, accelerator, threads) for kind, path in pairs]
    files = _files(request["input"], pictures)
    times = measure([works(one, files) for one in contenders], request["rounds"], request["seconds"])
    best = max(judged, key=lambda one: one.figures["f1_macro"])
    num_classes = len(classes_of(found.models[0]))
    models = [
        Model(
            name=name,
            folder=str(path),
            facts=contender.facts,
            judged=one,
            times=its,
            fresh=own,
            against_best=None if one is best else against(best, one, pictures, num_classes),
        )
        for name, path, contender, one, its, own in zip(
            short(names_of(paths)), paths, contenders, judged, times, fresh, strict=True
        )
    ]
    comparison = Comparison(sorted(models, key=lambda model: -model.judged.figures["f1_macro"]))
    setting = Setting(
        part=None if pictures is None else pictures.part,
        threads=threads,
        rounds=request["rounds"],
        seconds=request["seconds"],
        files=len(files),
        room=room,
        torch=torch.__version__,
    )
    with filled(folder) as partial:
        write_models_page(comparison, setting, partial / PAGE)
        write_table(comparison, threads, partial / TABLE)
    say(f"{counted(len(models), 'model')} compared: {folder / PAGE}")
    return comparison


def short(names: Sequence[str]) -> list[str]:
    """The names without the key of the network, where it is all that they differ in."""
    for key in ("model=", "model.name="):
        if all(name.startswith(key) and " " not in name for name in names):
            return [name.removeprefix(key) for name in names]
    return list(names)


def works(contender: Contender, files: Sequence[Path]) -> dict[str, Work]:
    """What a model is measured at, by the keys of figures; without files, what needs none."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (MANY, *contender.image_size, 3), np.uint8)
    found: dict[str, Work] = {
        ONE.key: lambda: contender.answer(pixels[:1]),
        EIGHT.key: lambda: contender.answer(pixels[:TOGETHER]),
        THROUGHPUT.key: lambda: contender.answer_many(pixels),
    }
    if files:
        found[ONE_FILE.key] = _reading(contender, cycle(files), 1)
        found[EIGHT_FILES.key] = _reading(contender, cycle(files), TOGETHER)
    return found


def _reading(contender: Contender, files: Iterator[Path], number: int) -> Work:
    return lambda: contender.answer_files(list(islice(files, number)))


def _fresh(models: Sequence[tuple[Kind, Path]], accelerator: str, threads: int) -> list[Fresh]:
    said = progress(models, len(models), "starting a fresh process for each model")
    return [measure_fresh(kind, path, accelerator, threads) for kind, path in said]


def _pictures_among(files: Sequence[Path], given: str) -> list[Path]:
    """Those that are pictures by their names or else by their beginning: to give up on others takes less time.

    Raises:
        InputError: none is.
    """
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES or _is_picture(path)]
    if not pictures:
        raise InputError(f"no file of input={given} is a picture that can be read: give others")
    if others := len(files) - len(pictures):
        say_beside(f"{counted(others, 'file')} of input={given} left out, no pictures that can be read")
    return pictures


def _is_picture(path: Path) -> bool:
    try:
        format_of(path)
    except UnreadableImage:
        return False
    return True


def _files(given: str | None, pictures: Pictures | None) -> list[Path]:
    """Some of the pictures that are given, else of the judged ones that are still there; evenly from all of them."""
    if given is not None:
        paths = _pictures_among(find_pictures(given), given)
    else:
        paths = [] if pictures is None else [path for path in pictures.paths if path.is_file()]
    if not paths:
        say_beside("the judged pictures are not there, so that reading is not measured: input=FOLDER gives others")
    return paths[:: max(1, len(paths) // FILES)][:FILES]
