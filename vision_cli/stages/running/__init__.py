"""`vision predict` and `export`: a model loaded, asked and written for another runtime."""
