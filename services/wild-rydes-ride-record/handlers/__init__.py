"""Functions of the service wild-rydes-ride-record."""
