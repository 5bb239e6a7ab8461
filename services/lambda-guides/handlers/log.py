"""The functions' own log lines."""

import functools
import logging
import os


@functools.cache
def logger() -> logging.Logger:
    """Return the service's logger, at the level that LOG_LEVEL names; made once per execution environment."""
    logger = logging.getLogger(__package__)
    logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return logger
