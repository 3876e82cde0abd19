"""Figures with intervals, from saved logits."""
