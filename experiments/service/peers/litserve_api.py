"""`python -m experiments.service.peers.litserve_api ARTEFACT PORT WORKERS THREADS`: the same network in LitServe.

One worker with a session of no settings is what its documentation shows; a worker for each core with sessions of one
thread is its best on a processor.
"""

from __future__ import annotations

import sys
from pathlib import Path

from animeid.artefacts.artefact import Artefact
from experiments.service.peers.naming import Naming

try:
    import litserve
except ImportError:
    sys.exit("litserve is not installed here: the study installs it into a folder of its own, see outside.py")


class NamingApi(litserve.LitAPI):
    """Decodes and names a picture in a worker.

    Args:
        artefact: its folder.
        threads: of the session; 0 takes all cores.
    """

    def __init__(self, artefact: Path, threads: int) -> None:
        super().__init__()
        self._folder, self._threads = artefact, threads

    def setup(self, device: str) -> None:
        self._naming = Naming(Artefact.load(self._folder), self._threads)

    def decode_request(self, request):
        return self._naming.read(request["file"].file)

    def predict(self, x):
        return self._naming(x)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    folder, port, workers, threads = Path(sys.argv[1]), *map(int, sys.argv[2:])
    server = litserve.LitServer(NamingApi(folder, threads), accelerator="cpu", workers_per_device=workers, timeout=60)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")
