"""Networks in 8 bits: which of their nodes are, and what they answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from animeid.deploy.quantise import nncf_int8, onnxruntime_int8
from animeid.deploy.quantise.graph import first_and_last, outside
from animeid.system import machine
from tests.deploy.test_export import loaded, pixels, relative

INPUTS, CALIBRATION = 16, 24


def branched() -> onnx.ModelProto:
    """Prepared pixels go into two convolutions, whose sum goes into a last layer and a softmax."""
    nodes = [
        ("Cast", ["pictures"], "cast", {"to": TensorProto.FLOAT}),
        ("Mul", ["cast", "w"], "scaled", {}),
        ("Conv", ["scaled", "k"], "left", {}),
        ("Conv", ["scaled", "k"], "right", {}),
        ("Add", ["left", "right"], "both", {}),
        ("Gemm", ["both", "k"], "logits", {}),
        ("Softmax", ["logits"], "probabilities", {}),
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, given, [out], name=out, **more) for kind, given, out, more in nodes], "g", [], []
    )
    return helper.make_model(graph)


def test_what_prepares_pixels_and_makes_probabilities_is_left_alone() -> None:
    assert outside(branched()) == ["cast", "scaled", "probabilities"]
    assert first_and_last(branched()) == ["left", "right", "logits"]


@pytest.fixture(scope="module")
def shown(home: Path) -> np.ndarray:
    return pixels(loaded(home), sorted((home / "pictures").rglob("*.png"))[:CALIBRATION])


def answers(file: Path, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    embedding, logits = session.run(["embedding", "logits"], {"pictures": pictures})
    return embedding, logits


def weights_in_8_bits(file: Path) -> list[np.ndarray]:
    """The scales of all weights that are kept in 8 bits."""
    graph = onnx.load(file).graph
    constants = {one.name: one for one in graph.initializer}
    kept = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in constants]
    return [
        numpy_helper.to_array(constants[node.input[1]])
        for node in kept
        if constants[node.input[0]].data_type == TensorProto.INT8
    ]


def test_each_channel_of_weights_has_its_own_scale_and_answers_are_near(
    home: Path, shown: np.ndarray, tmp_path: Path
) -> None:
    source, target = home / "artefact" / "model.onnx", tmp_path / "8.onnx"
    onnxruntime_int8.quantise(source, target, shown)
    weighted = sum(node.op_type in ("Conv", "Gemm") for node in onnx.load(source).graph.node)
    scales = weights_in_8_bits(target)
    assert len(scales) == weighted and all(scale.ndim == 1 and len(scale) > 1 for scale in scales)
    assert 0 < max(map(relative, answers(target, shown), answers(source, shown))) < 0.5
    ends = tmp_path / "ends.onnx"
    onnxruntime_int8.quantise(source, ends, shown, keep_ends=True)
    assert len(weights_in_8_bits(ends)) == weighted - 2
    per_cent = tmp_path / "percentile.onnx"
    onnxruntime_int8.quantise(source, per_cent, shown, method="Percentile")
    assert not np.array_equal(answers(per_cent, shown)[1], answers(target, shown)[1])


@pytest.mark.slow
def test_nncf_makes_them_too_and_gives_back_what_accuracy_needs(home: Path, shown: np.ndarray, tmp_path: Path) -> None:
    source, target = home / "artefact" / "model.onnx", tmp_path / "8.onnx"
    nncf_int8.quantise(source, target, shown)
    assert weights_in_8_bits(target)
    expected = answers(source, shown)
    assert 0 < max(map(relative, answers(target, shown), expected)) < 0.5
    controlled = tmp_path / "controlled.onnx"
    targets = expected[1].argmax(1)
    nncf_int8.quantise_with_accuracy_control(source, controlled, shown, shown, targets, 0.0)
    assert answers(controlled, shown)[1].argmax(1).tolist() == targets.tolist()


@pytest.mark.slow
def test_nncf_tells_nobody_that_it_is_used() -> None:
    code = (
        "from animeid.deploy.quantise.nncf_int8 import _library; _library(); "
        "from nncf.telemetry import wrapper; assert type(wrapper.telemetry).__name__ == 'MagicMock'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("kind", "flags", "expected"),
    [
        ("x86_64", "flags : sse avx2 avx512_vnni", True),
        ("AMD64", "flags : avx2 avx_vnni", True),
        ("x86_64", "flags : sse avx2 avx512f", False),
        ("x86_64", None, False),
        ("arm64", None, True),
        ("aarch64", "Features : asimd", True),
    ],
)
def test_processors_that_multiply_8_bits_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, flags: str | None, expected: bool
) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: kind)
    if flags is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc" / "cpuinfo").write_text(flags)
    assert machine.multiplies_8_bits(tmp_path) is expected
