"""The errors of the API, by the names that clients see."""


class ApiError(Exception):
    """An error answer; *code* is its name, such as ``ValidationException``."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = members
        """Members of the answer besides the message."""


def validation(message: str) -> ApiError:
    """Return the error of a request that says something wrong."""
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    """Return the error of a request about a target, policy or action that is not there."""
    return ApiError("ObjectNotFoundException", message)
