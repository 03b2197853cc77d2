"""`vision data commit`, `log`, `diff`, `checkout`, `tag`, `verify`, `gc`: snapshots of data."""
