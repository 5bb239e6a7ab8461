"""The text of policies, read once each."""

import logging
from functools import lru_cache
from typing import Final

from rydelab.iam.document import Policy, read
from rydelab.iam.errors import PolicyError

LOG = logging.getLogger(__name__)
_REMEMBERED: Final = 1024


@lru_cache(_REMEMBERED)
def policy(text: str) -> Policy:
    """Read a policy document. One that IAM would refuse, and the lab let in, says nothing; the log says so."""
    try:
        return read(text)
    except PolicyError as error:
        LOG.warning("rydelab: a policy is left out of account: %s", error)
        return Policy(())
