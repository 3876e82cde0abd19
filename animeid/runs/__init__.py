"""Folders of runs: files, saved predictions, lineage, and which of them may be compared."""
