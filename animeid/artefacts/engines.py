"""The engines that an artefact's networks are answered by, and which of them is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.layout import Engine
from animeid.artefacts.pace import Pace
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.system.machine import multiplies_8_bits

Call = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From what the network is given, `[B, H, W, 3]` uint8 or `[B, 3, H, W]` float32, to `[B, D]` embeddings and `[B, C]`
logits, both float32. One at a time."""

OUTPUTS = ("embedding", "logits")


OPENVINO_PRECISIONS = {"float32": "f32", "int8": "f32", "bfloat16": "bf16"}
"""What OpenVINO computes in where the network does not say: of its own it takes bfloat16 for float32 where it can."""


def onnxruntime_calls(path: Path, precision: str, pace: Pace) -> list[Call]:  # noqa: ARG001 - the file has it
    """`pace.calls` calls that may be made at the same time, of `pace.threads` threads each."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = pace.threads, 1
    # Threads that wait spin by default, and keep the cores from those that read pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3

    def opened() -> Call:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda pictures: tuple(session.run(OUTPUTS, {name: pictures}))

    # A session whose calls need no threads beside the caller's takes any number of them at once.
    return [opened()] * pace.calls if pace.threads == 1 else [opened() for _ in range(pace.calls)]


def openvino_calls(path: Path, precision: str, pace: Pace) -> list[Call]:
    """As `onnxruntime_calls`."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": pace.threads * pace.calls,
        "NUM_STREAMS": pace.calls,
        "INFERENCE_PRECISION_HINT": OPENVINO_PRECISIONS[precision],
    }
    compiled = core.compile_model(path, "CPU", settings)
    places = [compiled.output(name) for name in OUTPUTS]

    def opened() -> Call:
        request = compiled.create_infer_request()

        def call(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            request.infer([pictures])
            embedding, logits = (request.get_tensor(place).data.copy() for place in places)
            return embedding, logits

        return call

    return [opened() for _ in range(pace.calls)]


ENGINES: Mapping[str, Callable[[Path, str, Pace], list[Call]]] = {
    "onnxruntime": onnxruntime_calls,
    "openvino": openvino_calls,
}
"""By the name of the library, which is that of its package as well."""


def choose(artefact: Artefact, asked: str = "auto") -> Engine:
    """The engine that answers.

    Args:
        artefact: whose engines stand in the order of preference.
        asked: a library or a precision; `auto` is the first whose library is installed.

    Raises:
        InputError: the artefact has no such engine, or its library is not installed.
    """
    known = [engine for engine in artefact.engines if engine.name in ENGINES]
    wanted = [engine for engine in known if asked in ("auto", engine.name, engine.precision)]
    if not wanted:
        words = {word for engine in known for word in (engine.name, engine.precision)}
        raise InputError(f"the artefact {artefact.folder} has no engine '{asked}'{suggestion(asked, words)}")
    there = [engine for engine in wanted if find_spec(engine.name)]
    if not there:
        names = list(dict.fromkeys(engine.name for engine in wanted))
        raise InputError(
            f"the artefact {artefact.folder} is answered by {' or '.join(names)}, which is not installed: "
            f"pip install {names[0]}"
        )
    able = [engine for engine in there if is_able(engine)]
    if not able:
        raise InputError(
            f"the artefact {artefact.folder} would be answered by {there[0].name} in {there[0].precision}, which this "
            "processor cannot compute as the one that it was exported on: take another engine, or export it here"
        )
    return able[0]


def is_able(engine: Engine) -> bool:
    """Whether this processor has the instructions that an engine was judged with."""
    if engine.precision == "bfloat16":
        return computes_bfloat16()
    return not engine.needs_vnni or multiplies_8_bits()


def computes_bfloat16() -> bool:
    """Whether OpenVINO has the processor compute in bfloat16; where it cannot, float32 would be slower than INT8."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_calls(artefact: Artefact, engine: Engine, pace: Pace) -> list[Call]:
    """The calls of an engine, that many and with so many threads as the pace says.

    Raises:
        InputError: the library that is installed does not read the network.
    """
    path = artefact.folder / engine.file
    try:
        return ENGINES[engine.name](path, engine.precision, pace)
    # Each library has errors of its own, of which some are plain exceptions.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} cannot be opened by the {engine.name} that is installed, of which a newer version may: {reason}"
        ) from error
