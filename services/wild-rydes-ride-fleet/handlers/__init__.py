"""Functions of the service wild-rydes-ride-fleet."""
