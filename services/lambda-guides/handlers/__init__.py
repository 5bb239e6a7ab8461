"""Functions of the service lambda-guides."""
