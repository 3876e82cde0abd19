"""Averages of weights over training: EMA and SWA."""
