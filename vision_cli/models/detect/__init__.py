"""Families of detectors: boxes with a class."""
