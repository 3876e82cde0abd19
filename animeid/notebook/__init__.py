"""Functions for notebooks: a run, several runs, a data set."""
