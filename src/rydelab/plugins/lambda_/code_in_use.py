"""Keeps a version's unpacked code on disk until the last invocation that runs it has ended.

LocalStack deletes it as soon as a function is updated or deleted; on AWS an invocation that has begun ends undisturbed.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from localstack.services.lambda_.invocation.lambda_models import S3Code
from localstack.utils.patch import patch

_lock = threading.Lock()
_users: Counter[str] = Counter()
_unwanted: dict[str, S3Code] = {}


def install() -> None:
    """Have LocalStack ask before it deletes code."""

    @patch(S3Code.destroy_cached)
    def destroy_cached(fn: Any, self: S3Code) -> None:
        with _lock:
            if _users[self.id] > 0:
                _unwanted[self.id] = self
                return
        fn(self)


@contextlib.contextmanager
def code_in_use(code: Any) -> Iterator[None]:
    """Keep *code* (LocalStack's, of any kind) on disk meanwhile."""
    if not isinstance(code, S3Code):  # hot reloading: the user's own directory, which nobody deletes
        yield
        return
    with _lock:
        _users[code.id] += 1
    try:
        yield
    finally:
        with _lock:
            _users[code.id] -= 1
            unwanted = None
            if _users[code.id] == 0:
                del _users[code.id]
                unwanted = _unwanted.pop(code.id, None)
        if unwanted is not None:
            unwanted.destroy_cached()
