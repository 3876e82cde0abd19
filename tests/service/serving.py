"""Services for tests: in this process, and as a command."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from animeid.service.app import application
from animeid.service.command import first_state
from animeid.service.home import Home
from animeid.service.network import Way
from animeid.service.opening import opened
from animeid.service.requests import ServeRequest
from animeid.system.files import write_json

KEPT = Path(__file__).resolve().parents[1] / "fixtures" / "artefact_2026_11"
"""An artefact that is kept, of six characters and 32 x 32 pixels."""
WAY = Way(threads=1, calls=2, together=1)


def png(pixels: np.ndarray, form: str = "PNG") -> bytes:
    """The file of a picture `[h, w, 3]`."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def picture(seed: int, size: tuple[int, int] = (40, 50), form: str = "PNG") -> bytes:
    """A file of noise."""
    return png(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8), form)


@contextmanager
def client(*folders: Path, way: Way = WAY, **keys: Any) -> Iterator[TestClient]:
    """A client of a service in this process, whose first artefact is `default`, the others `other1` and so on."""
    names = ["default", *(f"other{number}" for number in range(1, len(folders)))]
    request = ServeRequest(artefact=",".join(map("{}={}".format, names, folders)), **keys)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        home = Home(Path(folder))
        home.begin(request, first_state(request))
        write_json(home.way, asdict(way))
        with TestClient(application(lambda: opened(home)), "http://localhost", raise_server_exceptions=False) as found:
            yield found


@dataclass
class Running:
    """A service that runs as a command."""

    process: subprocess.Popen[str]
    address: str

    def get(self, path: str, key: str = "") -> httpx2.Response:
        return httpx2.get(self.address + path, headers={"X-API-Key": key} if key else {}, timeout=20)

    def predict(self, content: bytes, path: str = "/predict") -> httpx2.Response:
        return httpx2.post(self.address + path, content=content, timeout=20)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(30)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Running]:
    """`python -m animeid.serve`, until the block ends."""
    command: Sequence[str] = (sys.executable, "-m", "animeid.serve", f"artefact={folder}", "port=0", *arguments)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("http://"), process.stderr.read()
        yield Running(process, said.split()[0])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        process.stdout.close()
        process.stderr.close()
