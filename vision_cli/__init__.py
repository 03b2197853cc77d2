"""A whole computer-vision project from one file."""

__version__ = "0.1.0"
