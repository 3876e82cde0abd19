"""Grad-CAM: where a network looked."""
