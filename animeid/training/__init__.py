"""A training run from request to report: fit, resume, folds, what is saved."""
