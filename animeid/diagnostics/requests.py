"""Request classes of diagnostics; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.training.requests import TrainRequest


@dataclass(frozen=True, kw_only=True)
class DoctorRequest(TrainRequest):
    """The root of `conf/doctor.yaml`: a request of training, so that the same arguments can be asked about first."""
