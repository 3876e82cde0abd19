"""Predictors of finished runs: evaluation, prediction, ensembles."""
