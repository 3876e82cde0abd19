"""Finished runs read back, for people who want to look at them: what the notebooks call."""
