"""Quantisation: networks of an artefact in 8 bits, each way of making one in a module of its own."""
