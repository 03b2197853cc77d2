"""Networks that tell objects and stuff apart, pixel by pixel. Itself without torch."""
