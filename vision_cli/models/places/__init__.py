"""What networks that find things share: maps of features, anchors, assignment, losses. Itself without torch."""
