"""Data sets made ready: shards."""
