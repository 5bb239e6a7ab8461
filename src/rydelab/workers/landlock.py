"""Confines a process with Landlock, the kernel's own sandbox, which needs no privilege. Linux 6.2, better 6.12.

Source: https://docs.kernel.org/userspace-api/landlock.html and <linux/landlock.h>.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

# The same on every architecture.
_SYS_CREATE_RULESET: Final = 444
_SYS_ADD_RULE: Final = 445
_SYS_RESTRICT_SELF: Final = 446
_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1

FIRST_ABI: Final = 3
"""The version of Landlock that this needs: before it, changes of files could not be handled as a whole."""
ABI_WITH_SIGNAL_SCOPE: Final = 6
"""From this version on a confined process cannot signal others."""
_SCOPE_SIGNAL: Final = 1 << 1
# WRITE_FILE; REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, _DIR, _REG, _SOCK, _FIFO, _BLOCK, _SYM, REFER, TRUNCATE.
_CHANGES: Final = 1 << 1 | sum(1 << bit for bit in range(4, 15))


def abi_version() -> int:
    """Return the version of Landlock that the kernel has; 0 or less if none."""
    return _syscall(_SYS_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)


def confine(writable_dirs: Iterable[str]) -> bool:
    """Take from this process and its descendants what an execution environment of AWS has not either.

    It can change files below *writable_dirs* only, cannot look into processes that are not its descendants (their
    environment, their memory), and cannot signal them (Linux 6.12). There is no way back. The caller has done
    ``linux.drop_privileges``: the kernel asks for it, and root could still look into processes.

    Returns false where the kernel has no Landlock, or an old one, and then changes nothing.
    """
    abi = abi_version()
    if abi < FIRST_ABI:
        return False
    attributes = struct.pack("=QQQ", _CHANGES, 0, _SCOPE_SIGNAL)
    if abi < ABI_WITH_SIGNAL_SCOPE:
        attributes = attributes[:8]
    ruleset_fd = _checked(_syscall(_SYS_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for directory in writable_dirs:
            with contextlib.suppress(FileNotFoundError):
                _allow(ruleset_fd, directory)
        _checked(_syscall(_SYS_RESTRICT_SELF, ruleset_fd, 0))
    finally:
        os.close(ruleset_fd)
    return True


def _allow(ruleset_fd: int, directory: str) -> None:
    directory_fd = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", _CHANGES, directory_fd)
        _checked(_syscall(_SYS_ADD_RULE, ruleset_fd, _RULE_PATH_BENEATH, rule, 0))
    finally:
        os.close(directory_fd)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    # The kernel reads whole registers; ctypes would fill half of one with a Python int.
    widened = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *widened)
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result
