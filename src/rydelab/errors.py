"""The errors that a command reports as one sentence instead of a traceback."""


class RydelabError(Exception):
    """Something that the person at the keyboard can act on. The message is for people; `exit_status` for the shell."""

    exit_status = 1
