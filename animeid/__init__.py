"""animeid names the character in a picture."""

__version__ = "0.1.0"
