"""`vision data check` and `vision data fix`: is the data any good, and a copy in which it is better."""
