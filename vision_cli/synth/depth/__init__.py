"""Depth estimators, each behind one function `estimate`."""
