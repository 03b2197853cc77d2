"""`vision eval` and `vision report`: a model against its KPIs, and the page that tells."""
