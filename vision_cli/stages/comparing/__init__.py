"""Which model is better, and which is good enough at the least cost."""
