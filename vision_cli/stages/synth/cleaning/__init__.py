"""Backgrounds that show an object already: found, listed and set aside."""
