"""The ladder takes the fastest engine that passes, and says of all others why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.layout import INT8, ONNX
from animeid.artefacts.pace import Pace
from animeid.deploy.compare.timing import Times
from animeid.deploy.parity import bench as bench_module
from animeid.deploy.parity import ladder
from animeid.deploy.parity.agreement import EngineAnswers
from animeid.deploy.parity.bench import Bench, Candidate
from animeid.deploy.parity.ladder import NO_BFLOAT16, NONE_FASTER, NOT_FASTER, SLOWER, Ladder, _exact, exact_engines
from animeid.deploy.parity.pictures import ParityPictures
from animeid.deploy.parity.tried import Tried
from animeid.deploy.quantise.ways import Way
from animeid.system.turns import Work
from tests.deploy.tiny_artefact import SIZE, tiny_artefact

COUNT = 24
EXACT_MS = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_artefact(tmp_path / "artefact")


def timed(*milliseconds: float) -> Callable[[Sequence[Mapping[str, Work]], int, float], list[dict[str, Times]]]:
    """In the place of measuring: what stands first for both libraries in float32, then those given, in their order."""

    def measure(works: Sequence[Mapping[str, Work]], rounds: int, seconds: float) -> list[dict[str, Times]]:
        for work in works:
            for call in work.values():
                call()
        given = [EXACT_MS, EXACT_MS + 1, *milliseconds][: len(works)]
        assert len(given) == len(works)
        return [
            {kind: Times(tuple(np.full(3, value / 1e3) for _ in range(rounds))) for kind in work}
            for work, value in zip(works, given, strict=True)
        ]

    return measure


def bench(folder: Path, *milliseconds: float) -> Bench:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (COUNT, *SIZE, 3), np.uint8)
    call = Bench(None, pixels, None, 3, Pace(1, 1)).open(_exact(folder, "onnxruntime"))  # type: ignore[arg-type]
    reference = EngineAnswers(*call(pixels))
    targets = reference.logits.argmax(1)
    groups = np.array([str(place) for place in range(COUNT)])
    shown = ParityPictures(tuple(Path(name) for name in groups), targets, groups, np.ones(COUNT, bool))
    return Bench(shown, pixels, reference, 3, Pace(1, 1), measure=timed(*milliseconds))


def same(source: Path, target: Path) -> None:
    shutil.copy(source, target)


def spoilt(source: Path, target: Path) -> None:
    """A network that names other characters."""
    model = onnx.load(source)
    for constant in model.graph.initializer:
        if constant.name == "weight":
            constant.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(constant), "weight"))
    onnx.save(model, target)


def refuses(source: Path, target: Path) -> None:
    target.write_bytes(b"half")
    raise ValueError("an op\nof no kind")


def way(name: str, make: Callable[[Path, Path], None], needs: str = "onnx") -> Way:
    return Way(name, make, needs, 1.0)


def walked(folder: Path, steps: Sequence[Sequence[Way]], *milliseconds: float, bfloat16: bool = False) -> list[Tried]:
    both = ["onnxruntime", "openvino"]
    return list(Ladder(bench(folder, *milliseconds), folder, steps, both, lambda: bfloat16).walk())


def told(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    return [(f"{one.way} {one.engine.name if one.engine else ''}".strip(), one.refusal) for one in tried]


def test_the_fastest_that_passes_is_taken_and_becomes_a_file(folder: Path) -> None:
    tried = walked(folder, [[way("a", same), way("b", same)], [way("c", refuses)]], 9.0, 4.0, 5.0, 12.0)
    assert told(tried) == [
        ("bfloat16", NO_BFLOAT16),
        ("b openvino", NOT_FASTER),
        ("b onnxruntime", SLOWER),
        ("a onnxruntime", SLOWER),
        ("a openvino", ""),
    ]
    (taken,) = [one for one in tried if one.is_taken]
    assert taken.record["file"] == INT8 and taken.record["milliseconds"] == 4.0
    assert onnx.load(folder / INT8) == onnx.load(folder / ONNX)


def test_one_that_answers_otherwise_is_passed_by_and_the_next_step_tried(folder: Path) -> None:
    tried = walked(folder, [[way("a", spoilt)], [way("b", same)]], 4.0, 3.0)
    assert told(tried)[3:] == [("b onnxruntime", SLOWER), ("b openvino", "")]
    assert [name for name, _ in told(tried)[1:3]] == ["a openvino", "a onnxruntime"]
    assert all("points of f1_macro" in one.refusal for one in tried[1:3])
    assert onnx.load(folder / INT8) == onnx.load(folder / ONNX)


def test_where_none_is_faster_later_steps_are_left_out(folder: Path) -> None:
    tried = walked(folder, [[way("a", same)], [way("b", refuses)]], 10.0, 30.0)
    assert told(tried) == [
        ("bfloat16", NO_BFLOAT16),
        ("a onnxruntime", NOT_FASTER),
        ("a openvino", NOT_FASTER),
        ("b", NONE_FASTER),
    ]
    assert not (folder / INT8).exists()


def test_what_was_faster_once_is_made_more_accurate_whatever_fails_between(folder: Path) -> None:
    steps = [[way("a", spoilt)], [way("b", refuses)], [way("c", same)]]
    *_, taken = walked(folder, steps, 4.0, 3.0)
    assert taken.way == "c" and taken.is_taken


def test_a_library_that_is_off_in_float32_sets_no_bar(folder: Path) -> None:
    """ONNX Runtime's 10 ms are not what OpenVINO, at 11, is compared with."""
    given = bench(folder)
    slow = replace(given, measure=lambda works, *_: timed(10.5, 20.0)(works, 3, 0.0))
    alone = Ladder(slow, folder, [[way("a", same)]], ["openvino"], lambda: False)
    assert [one.refusal for one in alone.walk()] == [NO_BFLOAT16, NOT_FASTER]
    assert told(list(alone.walk()))[-1][0] == "a openvino"


def test_in_8_bits_the_processor_that_it_passed_on_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for modern in (True, False):
        monkeypatch.setattr(ladder, "multiplies_8_bits", lambda modern=modern: modern)
        tried = walked(folder, [[way("a", same)]], 4.0, 5.0)
        assert tried[-1].engine is not None and tried[-1].engine.needs_vnni is modern


def test_a_library_that_fails_or_is_absent_is_told(folder: Path) -> None:
    tried = walked(folder, [[way("a", refuses), way("b", same, "no_such_library"), way("c", same)]], 5.0, 6.0)
    assert tried[1].refusal == "its library cannot make it (an op of no kind)"
    assert tried[2].refusal.startswith("no_such_library is not installed: pip install 'animeid[compress]'")
    assert told(tried)[3:] == [("c openvino", SLOWER), ("c onnxruntime", "")]


def test_bfloat16_needs_no_file_of_its_own(folder: Path) -> None:
    tried = walked(folder, [[way("a", refuses)]], 5.0, bfloat16=True)
    assert tried[-1].is_taken and tried[-1].engine is not None
    assert (tried[-1].engine.file, tried[-1].engine.precision) == (ONNX, "bfloat16")
    assert not (folder / INT8).exists()


def test_in_float32_the_faster_library_comes_first(folder: Path) -> None:
    found = exact_engines(bench(folder), folder, ["openvino", "onnxruntime"])
    assert [one.engine.name for one in found if one.engine] == ["openvino", "onnxruntime"]
    (alone,) = exact_engines(bench(folder), folder, ["onnxruntime"])
    assert alone.seconds is None and alone.is_taken
    slow = replace(bench(folder), measure=lambda works, *_: timed(*[])(works, 3, 0.0)[::-1])
    assert [one.engine.name for one in exact_engines(slow, folder, ["openvino", "onnxruntime"]) if one.engine] == [
        "onnxruntime",
        "openvino",
    ]


def test_times_are_those_of_the_calls_themselves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = replace(bench(folder), measure=Bench.__dataclass_fields__["measure"].default)
    monkeypatch.setattr(bench_module, "SECONDS", 0.01)
    (time,) = given.seconds([Candidate("float32", folder / ONNX, Artefact.load(folder).engines[0])])
    assert 0 < time.ends[0] <= time.value <= time.ends[1] < 1.0
