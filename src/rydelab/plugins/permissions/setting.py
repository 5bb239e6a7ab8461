"""Whether permissions are enforced: ``RYDELAB_ENFORCE_IAM``, 1 or 0."""

import os
from functools import cache
from typing import Final

ENFORCE_VARIABLE: Final = "RYDELAB_ENFORCE_IAM"


@cache
def enforced() -> bool:
    """Return whether policies are asked; not unless set. Raises ValueError for a setting that is neither 1 nor 0."""
    text = os.environ.get(ENFORCE_VARIABLE) or "0"
    if text not in ("0", "1"):
        raise ValueError(f"{ENFORCE_VARIABLE} must be 1 or 0, got {text!r}")
    return text == "1"
