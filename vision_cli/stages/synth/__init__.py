"""`vision synth`: labelled photos that nobody took."""
