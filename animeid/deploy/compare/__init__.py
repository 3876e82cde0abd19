"""Runs and artefacts compared like for like: accuracy, time, size, memory, and which to take for what."""
