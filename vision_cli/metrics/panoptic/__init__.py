"""Metrics of segments, things and stuff. Importing this imports no formula and no numpy."""
