"""Between the lab and the simulator: the same scenarios in virtual time."""
