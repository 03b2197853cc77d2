"""Classes from a handful of photos: the book of examples, what describes photos, and the answers."""
