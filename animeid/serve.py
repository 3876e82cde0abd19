"""`python -m animeid.serve`: names pictures over HTTP with exported artefacts, without torch and Hydra."""

from __future__ import annotations

from animeid.service.start import main
from animeid.system.leave import run

if __name__ == "__main__":
    run(main)
