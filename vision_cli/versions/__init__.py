"""Versions of data sets: what they are called, where they are kept, and what differs between two of them."""
