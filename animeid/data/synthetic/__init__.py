"""The built-in cast: characters drawn from a seed."""
