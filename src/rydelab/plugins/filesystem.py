"""Keeps the files that LocalStack writes below the lab's folder, where its settings alone do not."""

import os
import sys
import tempfile
from pathlib import Path

SERVICE_INDEX_DIR = Path(sys.prefix) / "share/localstack/usr/lib/localstack"
"""Where ``bin/setup`` puts LocalStack's index of all AWS services, if it did; else each lab builds its own."""


def confine_files() -> None:
    """Call once, before anything else of LocalStack is imported. ``FILESYSTEM_ROOT`` and ``TMPDIR`` say where."""
    # LocalStack puts the machine's temporary folder, as a path, below FILESYSTEM_ROOT.
    tempfile.tempdir = "/tmp"  # noqa: S108 (a name only: nothing is written there)
    from localstack import config  # noqa: PLC0415 (it reads the name above)

    tempfile.tempdir = os.environ["TMPDIR"]
    if SERVICE_INDEX_DIR.is_dir():
        config.dirs.static_libs = str(SERVICE_INDEX_DIR)

    from localstack.services.s3 import provider  # noqa: PLC0415 (it needs the lines above)

    # A fixed folder in /tmp otherwise, in which two labs would overwrite each other's objects.
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.tempdir) / "s3")
