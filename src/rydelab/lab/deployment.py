"""What a deployed stage offers to a load test, read from its stacks' outputs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

type Outputs = Mapping[str, Mapping[str, str]]
"""Each service's stack outputs: service, output, value."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stage. What its services do not offer, or a service that is not deployed would, is None."""

    stage: str
    ride_url: str | None = None
    """POST a ride request here."""
    records_before_answering: bool = False
    """Whether a ride request is answered only when the ride is recorded (the HTTP designs)."""
    unicorn_url: str | None = None
    """GET a unicorn here."""
    record_url: str | None = None
    """POST a ride record here."""
    record_table: str | None = None
    dead_letter_queue_url: str | None = None
    ride_queue_url: str | None = None
    """The queue that rides wait in for their record."""
    event_function: str | None = None
    """The function that Lambda invokes with each published ride."""


def describe(outputs: Outputs, *, stage: str) -> Deployment:
    """Read the deployment of *stage* out of its stacks' *outputs*, whose URLs must be reachable as they are."""
    rides = outputs.get("wild-rydes", {})
    fleet = outputs.get("wild-rydes-ride-fleet", {})
    record = outputs.get("wild-rydes-ride-record", {})
    return Deployment(
        stage=stage,
        ride_url=rides.get("RequestRideUrl"),
        # Only a design that hands its rides to a topic answers before they are recorded.
        records_before_answering="RidesSnsTopicArn" not in rides,
        unicorn_url=fleet.get("RequestUnicornUrl"),
        record_url=record.get("RideRecordUrl"),
        record_table=record.get("RideRecordTableName"),
        dead_letter_queue_url=record.get("DeadLetterQueueUrl"),
        ride_queue_url=record.get("RideQueueUrl"),
        event_function=record.get("PutRideRecordSnsName"),
    )
