"""Learning-rate schedules, one a file."""

from animeid.optim.schedules.base import Curve, FollowsSteps, Schedule, followed_figure
from animeid.optim.schedules.swa import SwaCurve

__all__ = ["Curve", "FollowsSteps", "Schedule", "SwaCurve", "followed_figure"]
