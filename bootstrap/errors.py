"""What can go wrong, as sentences for the person at the keyboard."""


class BootstrapError(Exception):
    """Something that the person at the keyboard can act on. The message is for people; `exit_status` for the shell."""

    exit_status = 1


class InputError(BootstrapError, ValueError):
    """An argument, a template or a file that cannot be used; nothing was deployed because of it."""

    exit_status = 2


class NoLabError(BootstrapError):
    """Nothing at the endpoint answers as AWS would."""


class DeploymentError(BootstrapError):
    """CloudFormation could not do what was asked; the message names the stack, the resource and the reason."""
