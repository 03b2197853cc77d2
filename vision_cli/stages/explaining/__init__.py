"""`vision explain`: where in a photo the evidence for an answer lies, and what it was learned from."""
