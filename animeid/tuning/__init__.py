"""Searching for good settings of training."""
