"""`vision synth tune`: settings under which what learns from made photos does better on real ones."""
