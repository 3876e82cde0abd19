"""The temperature that a run's confidences are scaled by."""

from __future__ import annotations

from typing import Any

from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun


def fitted_temperature(folder: RunFolder) -> tuple[float, tuple[str, ...]]:
    """The temperature that a run fitted on its validation part, and a sentence about it; 1 where that helps nothing."""
    found: dict[str, Any] = SavedRun(folder).calibration or {"temperature": None}
    fitted, judged = found["temperature"], found.get("parts", {}).get("val")
    if fitted is None or judged is None or judged["ece_scaled"] >= judged["ece"]:
        return 1.0, ()
    told = (
        f"probabilities are scaled by the temperature {fitted:.3g} of {folder.path}, which brings their calibration "
        f"error on validation from {judged['ece']:.3f} to {judged['ece_scaled']:.3f}"
    )
    return fitted, (told,)
