"""Find logos in photos without a detector: proposals by features and by correlation, judged by one score."""
