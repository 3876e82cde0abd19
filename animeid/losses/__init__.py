"""Losses: pure functions, then one module a file."""
