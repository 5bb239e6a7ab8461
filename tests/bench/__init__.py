"""`make bench`: measures the lab on this machine and prints each figure beside its target. Tests do not time."""
