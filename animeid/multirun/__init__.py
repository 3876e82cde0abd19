"""Several runs of one command: record, order, summary."""
