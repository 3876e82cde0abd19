"""`python -m experiments.service.peers.blocking ARTEFACT PORT`: the plainest service, one endpoint of FastAPI.

ONNX Runtime is as it is without settings, and the event loop waits for it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, UploadFile

from animeid.artefacts.artefact import Artefact
from experiments.service.peers.naming import Naming


def application(naming: Naming) -> FastAPI:
    app = FastAPI()

    @app.post("/predict")
    async def predict(file: UploadFile) -> list[dict[str, float | str]]:
        return naming(naming.read(file.file))

    return app


if __name__ == "__main__":
    found = application(Naming(Artefact.load(Path(sys.argv[1]))))
    uvicorn.run(found, port=int(sys.argv[2]), log_level="warning")
