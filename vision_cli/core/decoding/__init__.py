"""From a network's raw outputs to boxes, masks and pixels of the photos: the one implementation, for every runtime."""
