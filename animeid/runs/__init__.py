"""Folders of runs: what they hold, what they come from, which of them may be compared."""
