"""The page of a service: the files of its folder ``site/`` in the bucket that its output SiteBucketName names.

A file ``config.json`` there tells the page where the services are. A text ``${SERVICE.OUTPUT}`` in it becomes that
output of the same stage, or null where the stage does not have it. On AWS a person fills in the two or three values,
and copies the folder with ``aws s3 sync``.
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootstrap.errors import InputError

FOLDER = "site"
BUCKET_OUTPUT = "SiteBucketName"
URL_OUTPUT = "SiteUrl"

_CONFIG = "config.json"
_REFERENCE = re.compile(r'"\$\{([A-Za-z0-9-]+)\.([A-Za-z0-9]+)\}"')


def check(service_folder: Path) -> None:
    """Raise InputError if the service has a site that could not be published."""
    config = service_folder / FOLDER / _CONFIG
    if config.is_file():
        _config(config.read_bytes(), {}, config)


def files(folder: Path, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    """Return the files of the site in *folder* by their keys, with *outputs* (service, output, value) filled in."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    if _CONFIG in found:
        found[_CONFIG] = _config(found[_CONFIG], outputs, folder / _CONFIG)
    return found


def publish(s3: Any, bucket: str, site: Mapping[str, bytes]) -> int:
    """Make *bucket* hold exactly the files *site*, and return how many of them were new or changed."""
    there = _there(s3, bucket)
    kinds = mimetypes.MimeTypes()  # Python's own table: the same on every machine
    changed = {key: body for key, body in site.items() if there.get(key) != _etag(body)}
    for key, body in changed.items():
        kind, _ = kinds.guess_type(key)
        # A browser asks each time whether there is a newer one: after a deployment nobody shall see the page of before.
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=kind or "application/octet-stream",
            CacheControl="no-cache",
        )
    _delete(s3, bucket, there.keys() - site.keys())
    return len(changed)


def empty(s3: Any, bucket: str) -> None:
    """Delete every object of *bucket*: CloudFormation deletes no bucket that has any."""
    try:
        _delete(s3, bucket, set(_there(s3, bucket)))
    except s3.exceptions.NoSuchBucket:
        return  # somebody was here before


def _there(s3: Any, bucket: str) -> dict[str, str]:
    """Return the entity tag of each object of *bucket*, by its key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", ())}


def _delete(s3: Any, bucket: str, keys: set[str]) -> None:
    for key in sorted(keys):
        s3.delete_object(Bucket=bucket, Key=key)


def _config(text: bytes, outputs: Mapping[str, Mapping[str, str]], path: Path) -> bytes:
    def value(match: re.Match[str]) -> str:
        return json.dumps(outputs.get(match[1], {}).get(match[2]))

    filled_in = _REFERENCE.sub(value, text.decode())
    try:
        json.loads(filled_in)
    except ValueError as error:
        raise InputError(f"{path}: is not JSON: {error}") from None
    return filled_in.encode()


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
