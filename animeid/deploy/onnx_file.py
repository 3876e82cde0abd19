"""`model.onnx`: an artefact's network in one file, with a free number of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from animeid.deploy.network import Answers, ArtefactNetwork
from animeid.deploy.quiet import quietly
from animeid.errors import InputError

INPUT = "pictures"
BATCH = "batch"
MOST = 4096
"""Pictures that may be answered together; the exporter wants a bound."""
EXAMPLES = 2
"""Pictures in the example, since the number one may be taken for a constant (PyTorch #148886)."""
REASON_LENGTH = 200


def write_onnx(network: ArtefactNetwork, size: tuple[int, int], path: Path) -> None:
    """Writes a network for uint8 pictures of (H, W) pixels.

    Raises:
        InputError: ONNX cannot hold it, with the reason.
    """
    example = torch.zeros((EXAMPLES, *size, 3), dtype=torch.uint8)
    try:
        with quietly(), torch.no_grad():
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                input_names=[INPUT],
                output_names=list(Answers._fields),
                dynamic_shapes={INPUT: {0: torch.export.Dim(BATCH, min=1, max=MOST)}},
                verbose=False,
            )
        assert program is not None
        _forget_source(program.model)
        program.save(str(path), external_data=False)
    # The exporter raises what it meets on its way: any of torch's, onnxscript's or the network's own errors.
    except Exception as error:
        raise InputError(
            f"this network cannot be exported, for ONNX cannot hold it ({_reason(error)}): {_ways_on()}"
        ) from error


def _reason(error: BaseException) -> str:
    """The first line of what went wrong at the bottom."""
    while error.__cause__ is not None:
        error = error.__cause__
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return first.strip()[:REASON_LENGTH]


def _ways_on() -> str:
    return "try tta=none where the run has test-time views, or export a run with another model or head"


def _forget_source(model: Any) -> None:
    """Takes out where in which files each step comes from: paths of this machine, and half of a small file."""
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.graph.metadata_props.clear()
