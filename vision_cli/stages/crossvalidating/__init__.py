"""Every photo judged by a model that did not learn from it."""
