"""Search among embeddings, with numpy alone."""
