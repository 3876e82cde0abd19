"""The ladder of compressed engines, walked from the fastest down until one answers well enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from shutil import move
from tempfile import TemporaryDirectory

from animeid.deploy.compare.figures import Reading
from animeid.deploy.engines import ENGINES, computes_bfloat16
from animeid.deploy.layout import INT8, ONNX, Engine
from animeid.deploy.parity.bench import Bench, Candidate
from animeid.deploy.parity.tried import Tried
from animeid.deploy.quantise.ways import Way
from animeid.system.console import how_to_install, say_beside
from animeid.system.progress import Steps

EXACT, BFLOAT16 = "float32", "bfloat16"
FASTEST = "the fastest that passed the gate"
NOT_FASTER = "it is not faster than float32"
SLOWER = "a faster one passed"
NONE_FASTER = "no network in 8 bits was faster than float32"
NO_BFLOAT16 = "this processor has no instructions for it"
LONGEST = 200


def exact_engines(bench: Bench, folder: Path, libraries: Sequence[str]) -> list[Tried]:
    """`model.onnx` in each library, the fastest first; of one alone no time is measured."""
    given = [_exact(folder, name) for name in libraries]
    times = bench.seconds(given) if len(given) > 1 else [None]
    tried = [_judged(bench, one, time) for one, time in zip(given, times, strict=True)]
    return sorted(tried, key=lambda one: one.seconds.value if one.seconds else 0.0)


@dataclass(frozen=True)
class Ladder:
    """Engines that may be faster than float32.

    steps: ways of making networks in 8 bits. bfloat16: whether OpenVINO has the processor compute in it.
    """

    bench: Bench
    folder: Path
    steps: Sequence[Sequence[Way]]
    bfloat16: Callable[[], bool] = computes_bfloat16

    def walk(self) -> Iterator[Tried]:
        """What was tried, until one was faster than float32 and passed the gate.

        Of each step all are timed beside float32, and those that are faster looked at from the fastest down. Where none
        is faster, no later step is tried: those are for accuracy, and cost time. A network in 8 bits that is taken
        becomes `model.int8.onnx`.
        """
        with TemporaryDirectory(prefix="animeid-") as place:
            for number, step in enumerate(self.steps):
                made: list[Candidate] = []
                if number == 0:
                    yield from self._in_bfloat16(made)
                yield from self._in_8_bits(step, Path(place), made)
                faster, slower = self._timed(made)
                yield from (Tried(one.way, one.engine, time, None, NOT_FASTER) for one, time in slower)
                for rank, (one, time) in enumerate(faster):
                    found = _judged(self.bench, one, time)
                    if found.is_taken and one.path.parent == Path(place):
                        move(one.path, self.folder / one.engine.file)
                    yield found
                    if found.is_taken:
                        behind = faster[rank + 1 :]
                        yield from (Tried(one.way, one.engine, time, None, SLOWER) for one, time in behind)
                        return
                if not faster:
                    later = (way for step in self.steps[number + 1 :] for way in step)
                    yield from (Tried(way.name, refusal=NONE_FASTER) for way in later)
                    return

    @cached_property
    def libraries(self) -> list[str]:
        return [name for name in ENGINES if find_spec(name)]

    @cached_property
    def progress(self) -> Steps:
        return Steps("quantising", {way.name: way.share for step in self.steps for way in step})

    def _in_bfloat16(self, made: list[Candidate]) -> Iterator[Tried]:
        if "openvino" not in self.libraries:
            yield Tried(BFLOAT16, refusal=f"openvino is not installed: {how_to_install('compress')}")
        elif not self.bfloat16():
            yield Tried(BFLOAT16, refusal=NO_BFLOAT16)
        else:
            made.append(Candidate(BFLOAT16, self.folder / ONNX, _engine("openvino", ONNX, BFLOAT16, FASTEST)))

    def _in_8_bits(self, step: Sequence[Way], place: Path, made: list[Candidate]) -> Iterator[Tried]:
        """Makes the networks of a step, for each library; a way that is not there, or makes none, is told."""
        for number, way in enumerate(step):
            path = place / f"{number}.onnx"
            path.unlink(missing_ok=True)
            if reason := way.absent or self._make(way, path):
                yield Tried(way.name, refusal=reason)
            else:
                made += [Candidate(way.name, path, _engine(name, INT8, "int8", FASTEST)) for name in self.libraries]

    def _make(self, way: Way, path: Path) -> str:
        """Why nothing was made, or ""."""
        try:
            with self.progress.step(way.name):
                way.make(self.folder / ONNX, path)
        # Quantisers raise what they meet in a graph that they do not understand: any of their own or of ONNX's errors.
        except Exception as error:
            with suppress(OSError):
                path.unlink()
            return f"its library cannot make it ({' '.join(str(error).split())[:LONGEST] or type(error).__name__})"
        return ""

    def _timed(self, made: Sequence[Candidate]) -> tuple[list[tuple[Candidate, Reading]], ...]:
        """Those that are faster than the fastest in float32, the fastest first, and those that are not."""
        if not made:
            return [], []
        times = self.bench.seconds([*(_exact(self.folder, name) for name in self.libraries), *made])
        bar = min(times[: len(self.libraries)], key=lambda time: time.value)
        pairs = sorted(zip(made, times[len(self.libraries) :], strict=True), key=lambda pair: pair[1].value)
        is_faster = [time.value < bar.value and not time.equals(bar) for _, time in pairs]
        faster, slower = (
            [pair for pair, yes in zip(pairs, is_faster, strict=True) if yes == wanted] for wanted in (True, False)
        )
        return faster, slower


def told(found: Iterator[Tried]) -> list[Tried]:
    """All of them, each said as it comes."""
    tried = []
    for one in found:
        say_beside(one.sentence)
        tried.append(one)
    return tried


def _judged(bench: Bench, one: Candidate, time: Reading | None) -> Tried:
    agreement = bench.agreement(one)
    return Tried(one.way, one.engine, time, agreement, bench.gate.refusal(one.engine.precision, agreement))


def _exact(folder: Path, name: str) -> Candidate:
    return Candidate(EXACT, folder / ONNX, _engine(name, ONNX, EXACT, "exact"))


def _engine(name: str, file: str, precision: str, reason: str) -> Engine:
    return Engine(name=name, file=file, input="uint8", precision=precision, reason=reason)
