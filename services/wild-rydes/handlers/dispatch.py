"""The decision: a ride is dispatched when the fleet gave a unicorn and the record was handed over."""

from dataclasses import dataclass
from typing import Protocol

from .ride import Ride, Unicorn, new_ride


class FleetError(Exception):
    """The fleet gave no unicorn; the message says why."""


class RecordError(Exception):
    """The ride could not be handed over to be recorded; the message says why."""


class UnrecordedRideError(Exception):
    """A ride was made and its record failed. Its id stays known: the record may exist after all."""

    def __init__(self, ride_id: str, reason: str) -> None:
        super().__init__(reason)
        self.ride_id = ride_id


class Fleet(Protocol):
    """Where unicorns come from."""

    def request_unicorn(self) -> Unicorn:
        """Return a unicorn, or raise FleetError."""


class Recorder(Protocol):
    """Where rides are handed over to be recorded."""

    def record(self, ride: Ride) -> None:
        """Return once the ride is handed over, or raise RecordError."""


@dataclass(frozen=True)
class Dispatched:
    """A ride that was answered, and why its record failed if that was to be ignored."""

    ride: Ride
    ignored_failure: str | None = None


def dispatch(*, fleet: Fleet, recorder: Recorder, ignore_record_failure: bool) -> Dispatched:
    """Get a unicorn, make the ride, hand it over. Raises FleetError or UnrecordedRideError."""
    ride = new_ride(fleet.request_unicorn())
    try:
        recorder.record(ride)
    except RecordError as error:
        if not ignore_record_failure:
            raise UnrecordedRideError(ride["RideId"], str(error)) from error
        return Dispatched(ride, ignored_failure=str(error))
    return Dispatched(ride)
