"""Learning: photos and targets go in, the best weights stay in the network."""
