"""Parameter groups, optimisers, schedules."""
