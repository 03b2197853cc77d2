"""Metrics of pixels, each with a class. Importing this imports no formula and no numpy."""
