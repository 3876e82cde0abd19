"""Memory of a fresh process, and multiply-adds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from animeid.deploy.compare.fresh import measure_fresh
from animeid.deploy.compare.onnx_cost import multiply_adds
from animeid.errors import InputError
from tests.deploy.tiny_artefact import tiny_artefact

PEAK = "from animeid.deploy.compare.fresh import peak_memory_mib; print(peak_memory_mib())"


def test_memory_is_that_of_the_process_and_not_of_who_started_it() -> None:
    """`ru_maxrss` of a child begins at the memory of its parent."""
    ballast = np.ones(400 * 2**20, np.uint8)
    found = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    assert 10 < float(found.stdout) < 350
    assert ballast[-1] == 1


def test_memory_that_was_given_back_is_counted() -> None:
    code = f"import numpy; one = numpy.ones(300 * 2**20, numpy.uint8); del one; {PEAK}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(found.stdout) > 300


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    folder = tiny_artefact(tmp_path / "artefact")
    (folder / "labels.json").unlink()
    with pytest.raises(InputError, match=r"artefact could not be answered by in a process of its own: .*labels\.json"):
        measure_fresh("artefact", folder, "cpu", 1)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.last = nn.Linear(8, 5)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.last(self.depthwise(self.first(pictures)).mean(dim=(2, 3)))


def as_onnx(path: Path, model: Small) -> Path:
    """The same network, written by hand: three operations that count and one that does not."""

    def weight(name: str, values: torch.Tensor) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.detach().flatten().tolist())

    nodes = [
        helper.make_node("Conv", ["pictures", "w1"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "w2"], ["b"], group=8),
        helper.make_node("ReduceMean", ["b", "sides"], ["c"], keepdims=0),
        helper.make_node("Gemm", ["c", "w3"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["batch", 3, 20, 24])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])],
        [
            weight("w1", model.first.weight),
            weight("w2", model.depthwise.weight),
            weight("w3", model.last.weight),
            helper.make_tensor("sides", TensorProto.INT64, [2], [2, 3]),
        ],
    )
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


def test_multiply_adds_of_an_onnx_file_are_those_that_torch_counts(tmp_path: Path) -> None:
    model = Small().eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, 20, 24))
    by_hand = 8 * 10 * 12 * 27 + 8 * 8 * 10 * 9 + 5 * 8
    assert multiply_adds(as_onnx(tmp_path / "small.onnx", model)) == counter.get_total_flops() // 2 == by_hand
