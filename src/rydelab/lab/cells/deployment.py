"""What a deployed stage offers to a load test, read from its stacks' outputs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

type Outputs = Mapping[str, Mapping[str, str]]
"""Each service's stack outputs: service, output, value."""

RIDE_SERVICES = ("wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record")
"""The services that a ride needs."""
RECORD_FUNCTIONS = ("PutRideRecordSqs", "PutRideRecordSns", "PutRideRecordHttp")
"""The functions that record rides. PutRideRecordHttp is always there, and does it if neither of the others is."""
FUNCTIONS = (
    "RequestRide",
    "RequestUnicornApig",
    "RequestUnicornInvoke",
    "LoadTable",
    "GetRideRecord",
    *RECORD_FUNCTIONS,
)


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
    unicorns_table: str | None = None
    dead_letter_queue_url: str | None = None
    topic_arn: str | None = None
    """Where rides are published."""
    ride_queue_url: str | None = None
    """The queue that rides wait in for their record."""
    event_function: str | None = None
    """The function that Lambda invokes with each published ride."""

    functions: Mapping[str, str] = field(default_factory=dict)
    """The name of each function, by its name in the template."""
    outputs: Outputs = field(default_factory=dict)
    """Everything that its stacks say, those of other services too."""

    @property
    def urls(self) -> dict[str, str]:
        """Where to ask, by what for: ride, record, unicorn."""
        urls = {"ride": self.ride_url, "record": self.record_url, "unicorn": self.unicorn_url}
        return {kind: url for kind, url in urls.items() if url}

    @property
    def record_function(self) -> str | None:
        """The name in the template of the function that records the rides of this design."""
        return next((name for name in RECORD_FUNCTIONS if name in self.functions), None)


def describe(outputs: Outputs, *, stage: str) -> Deployment:
    """Read the deployment of *stage* out of its stacks' *outputs*, whose URLs must be reachable as they are."""
    rides, fleet, record = (outputs.get(service, {}) for service in RIDE_SERVICES)
    return Deployment(
        stage=stage,
        ride_url=rides.get("RequestRideUrl"),
        # Only a design that hands its rides to a topic answers before they are recorded.
        records_before_answering="RidesSnsTopicArn" not in rides,
        unicorn_url=fleet.get("RequestUnicornUrl"),
        record_url=record.get("RideRecordUrl"),
        record_table=record.get("RideRecordTableName"),
        unicorns_table=fleet.get("UnicornsTableName"),
        dead_letter_queue_url=record.get("DeadLetterQueueUrl"),
        topic_arn=rides.get("RidesSnsTopicArn"),
        ride_queue_url=record.get("RideQueueUrl"),
        event_function=record.get("PutRideRecordSnsName"),
        functions={
            output.removesuffix("Name"): value
            for service in (rides, fleet, record)
            for output, value in service.items()
            if output.removesuffix("Name") in FUNCTIONS
        },
        outputs=outputs,
    )
