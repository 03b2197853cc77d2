"""Detectors that outline each object. Itself without torch."""
