"""A folder of artefacts, from which versions are taken while the service answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animeid.artefacts.checksums import CHECKSUMS, version_of
from animeid.artefacts.layout import CONFIG
from animeid.errors import InputError


@dataclass(frozen=True)
class Registry:
    """Artefacts that lie side by side in a folder."""

    folder: Path

    def scan(self) -> dict[str, Path]:
        """Folders by version; what is being copied, and has no checksums yet, is left out.

        An artefact is checked when it is loaded.
        """
        folders = sorted(path for path in self.folder.iterdir() if (path / CONFIG).is_file())
        return {
            version_of((path / CHECKSUMS).read_bytes().decode("utf-8", "replace")): path
            for path in folders
            if (path / CHECKSUMS).is_file()
        }

    def find(self, name: str) -> tuple[str, Path]:
        """Version and folder of an artefact by its version, or by the name of its folder.

        Raises:
            InputError: there is none.
        """
        there = self.scan()
        for version, path in there.items():
            if name in (version, path.name):
                return version, path
        raise InputError(f"the registry has no artefact {name}: it has {', '.join(sorted(there)) or 'none'}")
