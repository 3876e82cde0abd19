"""Artefacts are made, compared and answer: a finished run as one folder that needs no training code.

`animeid.artefacts` says what stands in one and reads it.
"""
