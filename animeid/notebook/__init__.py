"""What notebooks call: a run, several runs, a data set."""
