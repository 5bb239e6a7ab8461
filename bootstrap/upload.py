"""The lab's bucket for code bundles. A file's key is made from its content, so what is there need not be sent again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.target import Target
from bootstrap.template import Json

_LONGEST_TEMPLATE_BODY = 51_200  # characters, of CreateChangeSet; a longer one goes through S3


class Bucket:
    """A bucket, made when something is first uploaded to it. All stages share it; nothing is ever deleted."""

    def __init__(self, s3: Any, target: Target, name: str) -> None:
        self._s3 = s3
        self._target = target
        self._name = name

    def url(self, key: str) -> str:
        """Return the address of *key* at the lab."""
        return f"{self._target.endpoint_url}/{self._name}/{key}"

    def upload(self, files: Mapping[str, bytes]) -> Iterator[tuple[str, int]]:
        """Upload those of *files* (by key) that are not there, and yield the key and size in bytes of each."""
        if files:
            self._make()
        for key, body in files.items():
            if not self._has(key):
                self._s3.put_object(Bucket=self._name, Key=key, Body=body)
                yield key, len(body)

    def _make(self) -> None:
        where = {}
        if self._target.region != "us-east-1":  # where S3 takes no location
            where = {"CreateBucketConfiguration": {"LocationConstraint": self._target.region}}
        try:
            self._s3.create_bucket(Bucket=self._name, **where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise

    def _has(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return False
            raise
        return True


def template_argument(template: Mapping[str, Json], bucket: Bucket) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return *template* as an argument of CreateChangeSet, and the files that must be in *bucket* for it."""
    body = json.dumps(template, separators=(",", ":"))
    if len(body) <= _LONGEST_TEMPLATE_BODY:
        return {"TemplateBody": body}, {}
    key = f"{hashlib.sha256(body.encode()).hexdigest()}.template"
    return {"TemplateURL": bucket.url(key)}, {key: body.encode()}
