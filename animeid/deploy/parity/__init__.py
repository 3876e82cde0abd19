"""Parity: whether each engine of an artefact answers as PyTorch does, on real pictures, from file to answer."""
