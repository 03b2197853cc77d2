"""Segmenters: a class for each pixel. Itself without torch."""
