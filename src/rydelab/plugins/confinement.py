"""Keeps LocalStack's files below the lab's folder, and its calls on this machine, where its settings alone do not."""

import os
import sys
import tempfile
from pathlib import Path

SERVICE_INDEX_DIR = Path(sys.prefix) / "share/localstack/usr/lib/localstack"
"""Where ``bin/setup`` puts LocalStack's index of all AWS services, if it did; else each lab builds its own."""


def confine() -> None:
    """Call once, before anything else of LocalStack is imported. ``FILESYSTEM_ROOT`` and ``TMPDIR`` say where."""
    _confine_files()
    _confine_calls()


def _confine_files() -> None:
    # LocalStack puts the machine's temporary folder, as a path, below FILESYSTEM_ROOT.
    tempfile.tempdir = "/tmp"  # noqa: S108 (a name only: nothing is written there)
    from localstack import config  # noqa: PLC0415 (it reads the name above)

    tempfile.tempdir = os.environ["TMPDIR"]
    if SERVICE_INDEX_DIR.is_dir():
        config.dirs.static_libs = str(SERVICE_INDEX_DIR)

    from localstack.services.s3 import provider  # noqa: PLC0415 (it needs the lines above)

    # A fixed folder in /tmp otherwise, in which two labs would overwrite each other's objects.
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.tempdir) / "s3")


def _confine_calls() -> None:
    from localstack.utils.aws import aws_stack  # noqa: PLC0415 (after the files)

    # It would ask the machine's name server for "s3.127.0.0.1", and a start would wait for one that does not answer.
    aws_stack.CACHE_S3_HOSTNAME_DNS_STATUS = False
