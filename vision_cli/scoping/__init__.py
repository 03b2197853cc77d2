"""From a sentence to a task: rules, a small text classifier, and what follows for KPIs, data and models.

Everything here is plain Python and numpy; vectors of words (GloVe, public domain) and the classifier's weights are
files of 3 MB beside it.
"""
