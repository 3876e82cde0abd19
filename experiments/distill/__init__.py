"""Study of distillation."""
