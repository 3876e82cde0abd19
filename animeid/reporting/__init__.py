"""Pages of finished runs, and their figures."""
