"""Photo i of a run, the folder of the run, and its labels."""
