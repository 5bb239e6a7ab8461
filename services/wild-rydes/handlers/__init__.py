"""Functions of the service wild-rydes."""
