"""What of an ONNX graph is quantised: what lies between the first weights and the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import onnx

WEIGHTED = ("Conv", "Gemm", "MatMul")
_Values = Callable[[onnx.NodeProto], Iterable[str]]


def outside(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes before the first weights and behind the last ones.

    Preparing pixels and making probabilities cost next to nothing, and 8 bits there cost accuracy.
    """
    before, behind = _without_weights_before(model), _without_weights_behind(model)
    return [
        node.name
        for node in model.graph.node
        if node.op_type not in WEIGHTED and (node.name in before or node.name in behind)
    ]


def first_and_last(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes with the first weights and with the last."""
    ends = _without_weights_before(model) | _without_weights_behind(model)
    return [node.name for node in model.graph.node if node.op_type in WEIGHTED and node.name in ends]


def _without_weights_before(model: onnx.ModelProto) -> set[str]:
    return _free(model.graph.node, lambda node: node.input, lambda node: node.output)


def _without_weights_behind(model: onnx.ModelProto) -> set[str]:
    return _free(reversed(model.graph.node), lambda node: node.output, lambda node: node.input)


def _free(nodes: Iterable[onnx.NodeProto], comes: _Values, goes: _Values) -> set[str]:
    """Nodes that no weighted one has come before, in an order in which each comes after those that it needs."""
    reached: set[str] = set()
    found = set()
    for node in nodes:
        if not reached.intersection(comes(node)):
            found.add(node.name)
            if node.op_type not in WEIGHTED:
                continue
        reached.update(goes(node))
    return found
