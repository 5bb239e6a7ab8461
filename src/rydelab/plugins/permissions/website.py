"""S3's websites: whoever asks for a page needs the bucket's policy, and gets 403 without it."""

from typing import Any, Final

from botocore.exceptions import ClientError
from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.s3.website_hosting import S3WebsiteHostingHandler
from localstack.utils.patch import patch

from rydelab.plugins.permissions.callers import ANYBODYS_KEY

_FORBIDDEN: Final = """\
<html>
<head><title>403 Forbidden</title></head>
<body>
<h1>403 Forbidden</h1>
<ul>
<li>Code: AccessDenied</li>
<li>Message: Access Denied</li>
</ul>
<hr/>
</body>
</html>
"""


class _Reader:
    """LocalStack's client, but for objects, which it reads as anybody: the bucket's settings are the website's own."""

    def __init__(self, client: Any, as_anybody: Any) -> None:
        self._client = client
        self.get_object = as_anybody.get_object
        self.head_object = as_anybody.head_object

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def install() -> None:
    """Let LocalStack's handler read objects without credentials, and answer as AWS if it may not."""

    @patch(S3WebsiteHostingHandler.__call__)
    def serve(fn: Any, self: S3WebsiteHostingHandler, *request: Any, **parameters: Any) -> Response:
        if not isinstance(self.s3_client, _Reader):  # S3 may be there before this is
            self.s3_client = _Reader(self.s3_client, connect_to(aws_access_key_id=ANYBODYS_KEY).s3)
        try:
            return fn(self, *request, **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return Response(_FORBIDDEN, status=403, content_type="text/html; charset=utf-8")
