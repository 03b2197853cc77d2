"""Advice: what the data cannot support, with the figure, before any work starts."""
