"""How the learning rate moves over a run: one schedule a file."""

from animeid.optim.schedules.base import Curve, Schedule

__all__ = ["Curve", "Schedule"]
