"""From a sentence to a task: rules, a small text classifier, and what follows for KPIs, data and models.

Everything here is plain Python and numpy; the classifier's weights are a file of some kilobytes beside it.
"""
