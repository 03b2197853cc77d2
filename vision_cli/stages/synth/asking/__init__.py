"""What a run of `vision synth` is asked for: its inputs, read and checked."""
