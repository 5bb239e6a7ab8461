"""Addresses of a lab: those of API Gateway's APIs and of S3's websites."""

import re
from urllib.parse import urlsplit

from bootstrap.target import is_loopback

# https://API.execute-api.REGION.amazonaws.com/STAGE/PATH, whatever LocalStack made of the host name, and the
# address without a name of its own that LocalStack has for the same thing.
_BY_NAME = re.compile(r"https?://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+/(?P<rest>.*)")
_BY_PATH = re.compile(r"https?://[^/]+/_aws/execute-api/(?P<api>[a-z0-9]+)/(?P<rest>.*)")

# http://BUCKET.s3-website-REGION.amazonaws.com, and what LocalStack makes of it.
_WEBSITE = re.compile(r"https?://(?P<bucket>[a-z0-9.-]+)\.s3-website[.-][^/]+/?")


def reachable(value: str, endpoint_url: str) -> str:
    """Return *value*, or, if it is the URL of an API or of a website, the URL of the same at *endpoint_url*.

    The names in such URLs (API.execute-api…) lead to AWS, or nowhere; the lab serves the same API by path.
    """
    if match := _BY_NAME.fullmatch(value) or _BY_PATH.fullmatch(value):
        return f"{endpoint_url}/_aws/execute-api/{match['api']}/{match['rest']}"
    if match := _WEBSITE.fullmatch(value):
        return _website(match["bucket"], endpoint_url)
    return value


def _website(bucket: str, endpoint_url: str) -> str:
    endpoint = urlsplit(endpoint_url)
    if is_loopback(endpoint.hostname or ""):
        # Browsers take every name below localhost for this machine. As on AWS, page and API have different origins.
        return f"{endpoint.scheme}://{bucket}.s3-website.localhost:{endpoint.port or 80}/"
    return f"{endpoint_url}/{bucket}/index.html"
