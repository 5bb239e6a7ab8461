"""Why the control plane refuses a request."""


class CapacityError(Exception):
    """A refused CreateTable or UpdateTable.

    ``code`` is the AWS exception's name; the text of the exception is the AWS message.
    """

    code = "ValidationException"


class InvalidThroughputError(CapacityError):
    """A value that AWS would refuse as invalid."""


class ResourceInUseError(CapacityError):
    """A second UpdateTable while the first is not complete."""

    code = "ResourceInUseException"


class LimitExceededError(CapacityError):
    """A quota of the table or of the account: units, decreases in a day, mode switches in a day."""

    code = "LimitExceededException"
