"""What differs between tasks when a model answers: how answers are made, calibrated, measured and written down."""
