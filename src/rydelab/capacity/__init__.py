"""The DynamoDB capacity model. Pure: no clock, no lock, no I/O."""
