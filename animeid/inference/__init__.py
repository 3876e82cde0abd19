"""Answers of finished runs: evaluation, prediction, ensembles."""
