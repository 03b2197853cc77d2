"""Training of detectors and segmenters: photos with their objects, augmented together."""
