"""`vision train`: from a view to a run folder."""
