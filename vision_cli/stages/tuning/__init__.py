"""`vision tune`: settings of model and training that do better on the validation split."""
