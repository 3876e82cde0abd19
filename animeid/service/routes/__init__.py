"""The addresses of the service, by matter."""
