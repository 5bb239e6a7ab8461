"""The storage: RideRecordTable, keyed by RideId."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from .ride import MalformedRideError, Ride

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


class UnrecordedError(Exception):
    """The table did not take a ride. *code* is AWS's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnreadError(Exception):
    """The table could not be read. *code* is AWS's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class RideRecordTable:
    """Writes rides, and reads one."""

    client: "DynamoDBClient"
    name: str

    def put(self, ride: Ride) -> None:
        """Write *ride*. The same ride written twice is one item: its id is the key.

        Raises MalformedRideError if DynamoDB could never take it, UnrecordedError if it did not take it now.
        """
        item = ride_item(ride)
        try:
            self.client.put_item(TableName=self.name, Item=item)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ValidationException":
                raise MalformedRideError(str(error)) from error
            raise UnrecordedError(code, str(error)) from error
        except BotoCoreError as error:
            raise UnrecordedError(type(error).__name__, str(error)) from error

    def get(self, ride_id: str) -> Ride | None:
        """Return the ride, or None if it is not there, or not yet: the read is eventually consistent.

        Raises UnreadError.
        """
        try:
            answer = self.client.get_item(TableName=self.name, Key={"RideId": {"S": ride_id}})
        except ClientError as error:
            raise UnreadError(error.response["Error"]["Code"], str(error)) from error
        except BotoCoreError as error:
            raise UnreadError(type(error).__name__, str(error)) from error
        ride: Ride | None = _deserializer.deserialize({"M": answer["Item"]}) if "Item" in answer else None
        return ride


def ride_item(ride: Ride) -> Mapping[str, Any]:
    """Return *ride* in DynamoDB's own notation."""
    try:
        item: Mapping[str, Any] = _serializer.serialize(ride)["M"]
    except ArithmeticError as error:
        raise MalformedRideError("the ride has a number of more digits than DynamoDB's 38") from error
    return item
