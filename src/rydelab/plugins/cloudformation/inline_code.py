"""Packs inline code without the command ``zip``, which a machine or an image need not have.

Defect: `LambdaFunctionProvider.create` and `.update` (``lambda_/resource_providers/aws_lambda_function.py``) put the
code of a property ``ZipFile`` into an archive with `localstack.utils.testutil.create_zip_file`. On Debian that starts
the command and fails where there is none, although LocalStack has the same in Python and uses it elsewhere. The tests
that deploy inline code show it in a container (``pytest --lab container``).
"""

from typing import Any

from localstack.utils import testutil
from localstack.utils.archives import create_zip_file_python


def install() -> None:
    """Replace the command by Python's own archives in this process."""

    def create_zip_file(source_path: Any, base_dir: Any, zip_file: Any) -> None:
        del source_path  # the same as base_dir: LocalStack has copied a single file into a folder of its own
        create_zip_file_python(base_dir, zip_file)

    testutil.create_zip_file_cli = create_zip_file
