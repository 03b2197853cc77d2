"""Labelling: what people answered, how far they agree, what to label next, and what it costs.

Everything here works on numpy columns and knows no labelling tool: `formats` reads and writes those, stages join.
"""
