"""Samplers: which training pictures an epoch shows, one a file."""
