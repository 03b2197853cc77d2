"""Vectors of photos: computed by the fastest runtime of the machine, kept, written, looked through."""
