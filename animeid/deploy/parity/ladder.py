"""The ladder of compressed engines, walked from the fastest down until one answers well enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import move
from tempfile import TemporaryDirectory

from animeid.artefacts.engines import computes_bfloat16
from animeid.artefacts.layout import INT8, ONNX, Engine
from animeid.deploy.compare.figures import Reading
from animeid.deploy.parity.bench import Bench, Candidate
from animeid.deploy.parity.tried import Tried
from animeid.deploy.quantise.ways import Way
from animeid.system.console import how_to_install, say_beside
from animeid.system.machine import multiplies_8_bits
from animeid.system.progress import Steps

EXACT, BFLOAT16 = "float32", "bfloat16"
FASTEST = "the fastest that passed the gate"
NOT_FASTER = "it is not faster than float32 by more than rounds of the measurement differ"
SLOWER = "a faster one passed"
NONE_FASTER = "no network in 8 bits that could be made was faster than float32"
NO_BFLOAT16 = "this processor has no instructions for it"
LONGEST = 200
Timed = list[tuple[Candidate, Reading]]


def exact_engines(bench: Bench, folder: Path, libraries: Sequence[str]) -> list[Tried]:
    """`model.onnx` in each library, the fastest first; of one alone no time is measured."""
    given = [_exact(folder, name) for name in libraries]
    times = bench.seconds(given) if len(given) > 1 else [None]
    tried = [_judged(bench, one, time) for one, time in zip(given, times, strict=True)]
    return sorted(tried, key=lambda one: one.seconds.value if one.seconds else 0.0)


@dataclass(frozen=True)
class Ladder:
    """Engines that may be faster than float32.

    steps: ways of making networks in 8 bits. libraries: that answer in float32 as PyTorch does. bfloat16: whether
    OpenVINO has the processor compute in it.
    """

    bench: Bench
    folder: Path
    steps: Sequence[Sequence[Way]]
    libraries: Sequence[str]
    bfloat16: Callable[[], bool] = computes_bfloat16

    def walk(self) -> Iterator[Tried]:
        """What was tried, until one was faster than float32 and passed the gate.

        Of each step all are timed beside float32, and those that are faster looked at from the fastest down. Steps
        after the first are for accuracy, and cost time: where none of 8 bits is faster there is nothing to improve.
        A network in 8 bits that is taken becomes `model.int8.onnx`.
        """
        with TemporaryDirectory(prefix="animeid-") as place:
            is_fast = False
            for number, step in enumerate(self.steps):
                if number and not is_fast:
                    yield from (Tried(way.name, refusal=NONE_FASTER) for way in step)
                    continue
                made: list[Candidate] = []
                if number == 0:
                    yield from self._in_bfloat16(made)
                yield from self._in_8_bits(step, Path(place), made)
                bar, faster, slower = self._timed(made)
                yield from (Tried(one.way, one.engine, time, None, NOT_FASTER, bar) for one, time in slower)
                is_fast = is_fast or any(one.engine.precision == "int8" for one, _ in faster)
                for found in self._judged_in_turn(faster, bar):
                    yield found
                    if found.is_taken:
                        return

    def _judged_in_turn(self, faster: Sequence[tuple[Candidate, Reading]], bar: float) -> Iterator[Tried]:
        """From the fastest down; the first that passes is kept, and those behind it are said to be slower."""
        for rank, (one, time) in enumerate(faster):
            found = _judged(self.bench, one, time, bar)
            if found.is_taken:
                if one.path.parent != self.folder:
                    move(one.path, self.folder / one.engine.file)
                yield from (Tried(one.way, one.engine, time, None, SLOWER, bar) for one, time in faster[rank + 1 :])
                yield found
                return
            yield found

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

    def _timed(self, made: Sequence[Candidate]) -> tuple[float, Timed, Timed]:
        """Seconds of the fastest in float32, those that are faster, the fastest first, and those that are not."""
        if not made:
            return 0.0, [], []
        times = self.bench.seconds([*(_exact(self.folder, name) for name in self.libraries), *made])
        bar = min(times[: len(self.libraries)], key=lambda time: time.value)
        pairs = sorted(zip(made, times[len(self.libraries) :], strict=True), key=lambda pair: pair[1].value)
        faster = [(one, time) for one, time in pairs if time.value < bar.value and not time.equals(bar)]
        return bar.value, faster, [pair for pair in pairs if pair not in faster]


def told(found: Iterator[Tried]) -> list[Tried]:
    """All of them, each said as it comes."""
    tried = []
    for one in found:
        say_beside(one.sentence)
        tried.append(one)
    return tried


def _judged(bench: Bench, one: Candidate, time: Reading | None, bar: float | None = None) -> Tried:
    agreement = bench.agreement(one)
    return Tried(one.way, one.engine, time, agreement, bench.gate.refusal(one.engine.precision, agreement), bar)


def _exact(folder: Path, name: str) -> Candidate:
    return Candidate(EXACT, folder / ONNX, _engine(name, ONNX, EXACT, "exact"))


def _engine(name: str, file: str, precision: str, reason: str) -> Engine:
    # In 8 bits answers depend on the processor: where products overflow they are others than those that passed.
    needs = precision == "int8" and multiplies_8_bits()
    return Engine(name=name, file=file, input="uint8", precision=precision, needs_vnni=needs, reason=reason)
