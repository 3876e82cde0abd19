"""The proof of an artefact: which engines answer it, and `parity.json`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from animeid.artefacts.engines import ENGINES
from animeid.artefacts.pace import Pace, cores
from animeid.deploy.parity.bench import Bench
from animeid.deploy.parity.ladder import Ladder, exact_engines, told
from animeid.deploy.parity.pictures import ParityPictures
from animeid.deploy.parity.reference import answers_of_runs
from animeid.deploy.parity.tried import Tried
from animeid.deploy.quantise.ways import ways_of
from animeid.deploy.reading import Reader
from animeid.deploy.runtime import TOGETHER
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.system.console import counted, say_beside
from animeid.system.progress import progress

FEWEST = 50
"""With fewer pictures a gate of half a point would be a matter of luck."""


@dataclass(frozen=True)
class Proof:
    """The engines of an artefact, and how they were found.

    calibrating: pictures that showed a quantiser how large activations are. shared: how many of them are among those
    compared. tried: those that are taken, in the order of preference, and then what was not.
    """

    bench: Bench
    calibrating: int
    shared: int
    tried: tuple[Tried, ...]

    @property
    def engines(self) -> list[dict[str, Any]]:
        """For `config.json`."""
        return [asdict(one.engine) for one in self.tried if one.engine and one.is_taken]

    @property
    def record(self) -> dict[str, Any]:
        """`parity.json`; where no times were measured, nothing in it depends on the machine's load or cores."""
        pictures = self.bench.pictures
        choosing = {
            "calibrating": self.calibrating,
            "calibrating_among_pictures": self.shared,
            "threads": self.bench.pace.threads,
        }
        return {
            "reference": f"PyTorch {version('torch')}, float32, from the same files by its own reader",
            "pictures": len(pictures),
            "held_out": int(pictures.held_out.sum()),
            **(choosing if self.calibrating else {}),
            "gate": self.bench.gate.record,
            "engines": [one.record for one in self.tried],
        }


def check_enough(pictures: ParityPictures, calibrating: ParityPictures) -> None:
    """Raises:
    InputError: there are too few pictures to choose an engine by.
    """
    mates = int(pictures.have_mates.sum())
    if not len(calibrating) or min(len(pictures), mates) < FEWEST:
        raise InputError(
            f"compress=true compares engines on at least {FEWEST} training and validation pictures of whose class "
            f"another group has one too, and {counted(mates, 'such picture', 'are')} to be read where the run had "
            "them: put them back, or leave it out"
        )


def prove(
    predictors: Sequence[Predictor],
    folder: Path,
    pictures: ParityPictures,
    calibrating: ParityPictures,
    *,
    compress: bool,
) -> Proof | None:
    """Tries the engines of the artefact that lies in a folder; None where no picture is there to try them on.

    Args:
        pictures, calibrating: of `parity_pictures`.
        compress: whether faster engines than those in float32 are looked for.

    Raises:
        InputError: `model.onnx` does not answer as the runs do, or `compress` finds too few pictures that can be read.
    """
    first = predictors[0]
    reader = Reader(first.transform, first.plan.data.max_pixels, first.incomplete)
    pictures, pixels = _read(reader, pictures, "reading pictures to compare engines by")
    shown, shown_pixels = _read(reader, calibrating if compress else calibrating.at([]), "reading more pictures")
    if compress:
        check_enough(pictures, shown)
    if not len(pictures):
        say_beside("how closely it answers as PyTorch does is not measured: the pictures of its run are not to be read")
        return None
    bench = _bench(predictors, pictures, pixels)
    exact = _exact(bench, folder, compress)
    if not compress:
        return Proof(bench, 0, 0, (*exact,))
    steps = ways_of(shown_pixels, shown.targets, bench.gate.f1_macro_loss)
    libraries = [one.engine.name for one in exact if one.engine and one.is_taken]
    tried = [*told(Ladder(bench, folder, steps, libraries).walk()), *exact]
    shared = len(set(shown.paths) & set(pictures.paths))
    return Proof(bench, len(shown), shared, tuple(sorted(tried, key=lambda one: not one.is_taken)))


def _bench(predictors: Sequence[Predictor], pictures: ParityPictures, pixels: np.ndarray) -> Bench:
    say_beside(f"comparing its answers to those of PyTorch on {counted(len(pictures), 'picture')}")
    reference = answers_of_runs([replace(one, batch_size=TOGETHER) for one in predictors], pictures.paths)
    return Bench(pictures, pixels, reference, len(predictors[0].labels), Pace(cores(), 1))


def _exact(bench: Bench, folder: Path, compress: bool) -> list[Tried]:
    """Raises:
    InputError: ONNX Runtime does not answer as the runs do.
    """
    found = exact_engines(bench, folder, [name for name in ENGINES if find_spec(name)] if compress else ["onnxruntime"])
    for one in found:
        if one.engine and one.engine.name == "onnxruntime" and one.refusal:
            raise InputError(
                f"this network cannot be exported, since ONNX Runtime answers otherwise than PyTorch: {one.refusal}: "
                "take tta=none where the run has test-time views, or export a run with another model or head"
            )
    return found


def _read(reader: Reader, pictures: ParityPictures, what: str) -> tuple[ParityPictures, np.ndarray]:
    """Those that can be read, and `[N, H, W, 3]` uint8 of them."""
    with ThreadPoolExecutor(cores()) as threads:
        found = list(progress(threads.map(reader, pictures.paths), len(pictures), what))
    readable = [place for place, (_, error) in enumerate(found) if not error]
    pixels = np.stack([found[place][0] for place in readable]) if readable else np.empty((0, 1, 1, 3), np.uint8)
    return pictures.at(readable), pixels
