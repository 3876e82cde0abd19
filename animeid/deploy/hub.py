"""Artefacts on the hub by the name that earlier pages have for it; it is `animeid.artefacts.hub`."""

from animeid.artefacts.hub import artefact_folder

__all__ = ["artefact_folder"]
