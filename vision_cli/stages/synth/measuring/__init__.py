"""A run in figures, and how far it is from real photos."""
