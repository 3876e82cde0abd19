"""What an engine's answers must hold to be taken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from animeid.deploy.parity.agreement import Agreement
from animeid.metrics.paired import MOST_LOST


@dataclass(frozen=True)
class Gate:
    """relative_error: the largest of an engine that computes in float32.

    f1_macro_loss, neighbour_loss: the largest of any other, as shares of 1: of f1_macro, and of pictures whose nearest
    neighbour is of their class. A network may name pictures as before and be lost for finding alike ones.
    """

    relative_error: float = 1e-4
    f1_macro_loss: float = MOST_LOST
    neighbour_loss: float = 0.01

    def refusal(self, precision: str, agreement: Agreement) -> str:
        """Why an engine of that precision is not taken, or ""."""
        # Each is asked whether it holds, so that what is no number does not pass.
        if precision == "float32":
            error = agreement.relative_error
            return "" if error <= self.relative_error else f"its answers differ by {error:.1e} of their size"
        lost, far = -agreement.f1_difference.difference, -(agreement.neighbour_difference or 0.0)
        if not (agreement.is_finite and lost <= self.f1_macro_loss):
            return f"it loses {100 * lost:.1f} points of f1_macro"
        if not far <= self.neighbour_loss:
            return f"it loses {100 * far:.1f} points of nearest neighbours that are of a picture's class"
        return ""

    @property
    def record(self) -> dict[str, Any]:
        return asdict(self)
