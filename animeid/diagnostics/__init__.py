"""Diagnostics of `animeid doctor`: machine, packages, pictures, network, recipe."""
