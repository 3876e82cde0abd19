"""Heads: from feature maps to embedding and logits, one a file."""
