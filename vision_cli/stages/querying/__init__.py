"""`vision data view`, `query` and `stats`: photos chosen and counted by a condition."""
