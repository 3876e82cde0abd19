"""How the learning rate moves over a run: one schedule a file."""

from animeid.optim.schedules.base import Curve, Schedule
from animeid.optim.schedules.swa import SwaCurve

__all__ = ["Curve", "Schedule", "SwaCurve"]
