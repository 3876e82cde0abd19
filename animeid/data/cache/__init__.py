"""Decoded pixels, kept between runs."""
