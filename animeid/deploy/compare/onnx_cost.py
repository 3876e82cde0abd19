"""Multiply-adds of an ONNX file, counted from the shapes in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

Shape = tuple[int, ...]


def multiply_adds(path: Path) -> int | None:
    """Those of convolutions and matrix products for one picture; None where onnx is not installed."""
    if find_spec("onnx") is None:
        return None
    import onnx

    model = onnx.load(path, load_external_data=False)
    for given in model.graph.input:
        given.type.tensor_type.shape.dim[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        # What depends on the number of pictures alone may stay unknown: it is one.
        shapes[value.name] = tuple(dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim)
    return sum(
        COUNTED[node.op_type]([shapes[name] for name in node.input[:2]], shapes[node.output[0]])
        for node in graph.node
        if node.op_type in COUNTED
    )


def _convolution(inputs: Sequence[Shape], output: Shape) -> int:
    """The kernel `[out, in / groups, ...]` is applied once for each place of each output channel."""
    return math.prod(output) * math.prod(inputs[1][1:])


def _product(inputs: Sequence[Shape], output: Shape) -> int:
    """Of `[..., M, K]` and `[..., K, N]`; Gemm may have either transposed, so that K is found by the output."""
    return math.prod(output) * math.prod(inputs[0]) // math.prod(output[:-1])


COUNTED: Mapping[str, Callable[[Sequence[Shape], Shape], int]] = {
    "Conv": _convolution,
    "Gemm": _product,
    "MatMul": _product,
}
