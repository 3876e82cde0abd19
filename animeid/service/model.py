"""An artefact that is served: its network, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.calls import Calls
from animeid.deploy.runtime import Runtime
from animeid.service.answers import Named, named
from animeid.service.decoders import Decoders
from animeid.service.drift import Drift, Expected
from animeid.service.network import Network, Way
from animeid.service.window import Window


@dataclass(frozen=True)
class Model:
    """A version that answers.

    runtime: artefact, engine and temperature.
    network: of it.
    drift: of its answers, where the artefact says what they were like on judged pictures.
    """

    runtime: Runtime
    network: Network
    drift: Drift | None

    @classmethod
    def open(cls, runtime: Runtime, way: Way, windows: Path) -> Model:
        """A model that can answer at once.

        Args:
            windows: a folder for the answers of late of all workers.

        Raises:
            InputError: the library that is installed does not read the network.
        """
        calls = Calls.open(runtime.artefact, runtime.engine, way.pace)
        calls(np.zeros((1, *runtime.artefact.input.size, 3), np.uint8))  # the first answer of a session is slower
        expected = Expected.of((runtime.artefact.metrics or {}).get("answers"))
        drift = Drift(expected, Window.opened(windows / runtime.artefact.version)) if expected else None
        return cls(runtime, Network(calls, way), drift)

    @property
    def artefact(self) -> Artefact:
        return self.runtime.artefact

    @property
    def version(self) -> str:
        return self.artefact.version

    @property
    def folder(self) -> Path:
        return self.artefact.folder

    async def answer(self, content: bytes, decoders: Decoders, k: int) -> Named:
        """Names a picture.

        Args:
            content: of its file.
            decoders: that read it.
            k: names at most.

        Raises:
            UnreadableImage: it cannot be read.
        """
        picture = await decoders.decode(content, self.artefact.input)
        return await self.network(picture, lambda embedding, logits: named(self.runtime, embedding, logits, k))
