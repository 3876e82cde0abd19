"""Tests of artefacts."""
