"""What is wrong with a policy document."""


class PolicyError(ValueError):
    """A policy document that IAM would refuse; the message says which part of it."""
