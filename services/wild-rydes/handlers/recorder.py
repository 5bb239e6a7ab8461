"""The two ways to hand a ride over to wild-rydes-ride-record."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .dispatch import RecordError
from .http_json import HttpJson, HttpJsonError
from .ride import Ride

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True)
class SnsRecorder:
    """Publishes the ride; whoever subscribes records it later."""

    client: "SNSClient"
    topic_arn: str

    def record(self, ride: Ride) -> None:
        """Return once the topic has the ride, or raise RecordError."""
        try:
            self.client.publish(TopicArn=self.topic_arn, Message=json.dumps(ride, separators=(",", ":")))
        except (BotoCoreError, ClientError) as error:
            raise RecordError(str(error)) from error


@dataclass(frozen=True)
class HttpRecorder:
    """Calls PutRideRecordHttp at ``POST /record``."""

    http: HttpJson
    url: str

    def record(self, ride: Ride) -> None:
        """Return once the ride is recorded, or raise RecordError."""
        try:
            self.http.request("POST", self.url, ride, expected_status=201)
        except HttpJsonError as error:
            raise RecordError(str(error)) from error
