"""Learning-rate schedules, one a file."""

from animeid.optim.schedules.base import Curve, FollowsValidation, Schedule
from animeid.optim.schedules.swa import SwaCurve

__all__ = ["Curve", "FollowsValidation", "Schedule", "SwaCurve"]
