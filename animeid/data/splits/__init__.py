"""Group-aware splits and folds, and the audit of what they promise."""
