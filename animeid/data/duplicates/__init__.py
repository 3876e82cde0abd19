"""Exact and near duplicates of pictures."""
