"""The workshop's paths under load.

`locust -f loadtests/ --headless -u 10 -t 30s`, or without --headless for a web page, needs no other argument: the
endpoint and the URLs come from the stacks of stage RYDELAB_STAGE (default dev) on the lab at RYDELAB_ENDPOINT. Users
whose path that stage does not have are left out, with a line that says so. To load only some paths, name their users:
`locust -f loadtests/ AsyncRideUser RideFleetUser`.

Each user asks once per second as long as it gets its answers, so that 10 users make the workshop's 10 arrivals/s;
slower answers mean fewer arrivals (a closed model).

`locust -f loadtests/ --scenario quick` sends a scenario's arrivals on schedule instead (an open model); this is what
`rydelab compare` does. Without --scenario the web page offers those of loadtests/scenarios under "Custom parameters".
It is sent headless and behind the web page, with `--processes 4`, and with a master and workers on several machines,
always at the same total rate: give the workers the master's scenario, or none, which leaves the choice to the master.
How many users are asked for does not matter then.
"""

from locust import task

from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.loading.asking import RIDE_REQUEST, new_ride
from rydelab.lab.loading.load_users import PathUser, prepare


class SyncRideUser(PathUser):
    """Requests rides that are recorded before the answer comes."""

    needs = "a design that answers after it has recorded the ride: microservices or direct-invoke"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the ride URL of a design whose record service is called over HTTP."""
        return deployment.ride_url if deployment.records_before_answering else None

    @task
    def request_ride(self) -> None:
        """Request a ride."""
        self.client.post(self.target, json=RIDE_REQUEST, name="RequestRide (sync)")


class AsyncRideUser(PathUser):
    """Requests rides that are recorded after the answer, from an event."""

    needs = "a design that records the ride after it has answered: event-driven or queued"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the ride URL of a design that publishes its rides."""
        return None if deployment.records_before_answering else deployment.ride_url

    @task
    def request_ride(self) -> None:
        """Request a ride."""
        self.client.post(self.target, json=RIDE_REQUEST, name="RequestRide (async)")


class RideRecordUser(PathUser):
    """Records rides, without the services before."""

    needs = "the service wild-rydes-ride-record"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the URL of the record service."""
        return deployment.record_url

    @task
    def record_ride(self) -> None:
        """Record a new ride."""
        self.client.post(self.target, json=new_ride(), name="PutRideRecord")


class RideFleetUser(PathUser):
    """Asks the fleet for unicorns, without the service before."""

    needs = "the service wild-rydes-ride-fleet"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the URL of the fleet."""
        return deployment.unicorn_url

    @task
    def request_unicorn(self) -> None:
        """Request a unicorn."""
        self.client.get(self.target, name="RequestUnicorn")


prepare()
