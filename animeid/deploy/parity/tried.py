"""What is told of an engine that was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from animeid.artefacts.layout import Engine
from animeid.deploy.compare.figures import Reading
from animeid.deploy.parity.agreement import Agreement


@dataclass(frozen=True)
class Tried:
    """An engine, or a way that made none.

    way: as a person reads it. engine: None where nothing was made. seconds: of one picture; None where no times were
    compared. agreement: with PyTorch, where it was looked at. refusal: why it is not taken, or "". exact_seconds: of
    the fastest in float32, measured in turn with it.
    """

    way: str
    engine: Engine | None = None
    seconds: Reading | None = None
    agreement: Agreement | None = None
    refusal: str = ""
    exact_seconds: float | None = None

    @property
    def is_taken(self) -> bool:
        return self.engine is not None and not self.refusal

    @property
    def record(self) -> dict[str, Any]:
        """For `parity.json`."""
        engine, time = self.engine, self.seconds
        return {
            "way": self.way,
            "library": engine.name if engine else None,
            "file": engine.file if engine and self.is_taken else None,
            "precision": engine.precision if engine else None,
            "taken": self.is_taken,
            "reason": self.refusal or None,
            "milliseconds": _milliseconds(time.value) if time else None,
            "milliseconds_range": [_milliseconds(end) for end in time.ends] if time else None,
            "milliseconds_of_float32": None if self.exact_seconds is None else _milliseconds(self.exact_seconds),
            **(self.agreement.record if self.agreement else {}),
        }

    @property
    def sentence(self) -> str:
        """For the console."""
        library = f" in {self.engine.name}" if self.engine else ""
        beside = f" beside {1e3 * self.exact_seconds:.1f} in float32" if self.exact_seconds else ""
        time = f", {1e3 * self.seconds.value:.1f} ms a picture{beside}" if self.seconds else ""
        return f"{self.way}{library}{time}: {f'not taken, since {self.refusal}' if self.refusal else 'taken'}"


def _milliseconds(seconds: float) -> float:
    return round(1e3 * seconds, 2)
