"""Learning: photos and targets go in, the best weights stay in the network."""

from vision_cli.core import policy

policy.apply()  # albumentations asks the network for its newest version when it is imported, whoever calls
