"""The service: artefacts that answer over HTTP, without torch."""
