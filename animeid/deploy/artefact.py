"""The reader of artefacts by the name that earlier cards and pages have for it; it is `animeid.artefacts.artefact`."""

from animeid.artefacts.artefact import Artefact

__all__ = ["Artefact"]
