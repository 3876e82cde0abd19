"""Generators of the site."""
