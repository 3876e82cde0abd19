"""`python -m experiments.service.blocking ARTEFACT PORT`: the plainest service, one endpoint of FastAPI.

The same decoder, the same file of the network, and ONNX Runtime as it is without settings.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request

from animeid.artefacts.artefact import Artefact
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side
from animeid.imaging.working import working_from_stream
from animeid.predictions import top_names


def application(artefact: Artefact) -> FastAPI:
    app = FastAPI()
    session = onnxruntime.InferenceSession(artefact.folder / "model.onnx", providers=["CPUExecutionProvider"])
    given = artefact.input
    transform = EvalTransform(given.size, given.crop)

    @app.post("/predict")
    async def predict(request: Request) -> list[dict[str, float | str]]:
        stream = io.BytesIO(await request.body())
        pixels = transform(working_from_stream(stream, given.max_pixels, working_side(given.size)))
        (logits,) = session.run(["logits"], {"pictures": pixels[None]})
        return top_names(np.asarray(logits), artefact.classes, 5)[0]

    return app


if __name__ == "__main__":
    uvicorn.run(application(Artefact.load(Path(sys.argv[1]))), port=int(sys.argv[2]), log_level="warning")
