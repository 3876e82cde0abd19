"""Loggers and dashboards: W&B, TensorBoard, CSV."""
