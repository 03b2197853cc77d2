"""`vision data convert`: from a format to a format, with an account of what was lost."""
