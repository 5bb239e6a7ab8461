"""API Gateway addresses of a lab."""

import re

# https://API.execute-api.REGION.amazonaws.com/STAGE/PATH, whatever LocalStack made of the host name, and the
# address without a name of its own that LocalStack has for the same thing.
_BY_NAME = re.compile(r"https?://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+/(?P<rest>.*)")
_BY_PATH = re.compile(r"https?://[^/]+/_aws/execute-api/(?P<api>[a-z0-9]+)/(?P<rest>.*)")


def reachable(value: str, endpoint_url: str) -> str:
    """Return *value*, or, if it is the URL of an API, the URL of the same API at *endpoint_url*.

    The names in such URLs (API.execute-api…) lead to AWS, or nowhere; the lab serves the same API by path.
    """
    match = _BY_NAME.fullmatch(value) or _BY_PATH.fullmatch(value)
    return f"{endpoint_url}/_aws/execute-api/{match['api']}/{match['rest']}" if match else value
