"""Callbacks of training, one a file."""
