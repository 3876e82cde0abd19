"""The temperature that a run's confidences are scaled by: one rule for answers and pages."""

from __future__ import annotations

from animeid.runs.saved import SavedRun


def usable_temperature(run: SavedRun, name: str) -> tuple[float, str]:
    """The temperature that a run fitted on its validation part, where it helps there, else 1; and why.

    Args:
        run: whose temperature it is.
        name: what the sentence calls it.
    """
    found = run.calibration or {}
    fitted, tried = found.get("temperature"), found.get("held_out")
    plain = "probabilities are as the network gives them:"
    if fitted is None:
        return 1.0, f"{plain} {name} fitted no temperature on a validation part"
    if tried is None:
        return 1.0, (
            f"{plain} {name} is of an earlier version, which did not try its temperature on pictures that it was not "
            f"fitted on; temperature={fitted:.3g} scales by it all the same"
        )
    if tried["nll"] is None:
        return 1.0, (
            f"{plain} the validation part of {name} has pictures of {tried['groups']} groups, and a temperature that "
            f"fewer than {tried['needed']} give can be far off"
        )
    change = f"(nll {tried['nll']:.3f} before, {tried['nll_scaled']:.3f} after)"
    if not tried["helps"]:
        return 1.0, (
            f"{plain} the temperature {fitted:.3g} of {name} does not help validation pictures that it was not fitted "
            f"on {change}"
        )
    return fitted, (
        f"probabilities are scaled by the temperature {fitted:.3g} of {name}, which helps validation pictures that it "
        f"was not fitted on {change}"
    )
