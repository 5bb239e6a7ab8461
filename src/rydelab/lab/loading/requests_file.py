"""One row per arrival, as CSV: what the load generator writes and the ledger reads."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rydelab.lab.cells.ledger import Answer

COLUMNS = ("arrival", "due_s", "late_s", "latency_s", "status", "ride_id", "error", "kind")
"""Seconds, with `due_s` from the start of the load. `status` is empty where no answer came."""

MOST_ERROR_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One arrival and its outcome."""

    arrival: int
    """Its number in the schedule, from 0."""
    due_s: float
    """When it was due, in seconds from the start of the load."""
    late_s: float
    """How much later than due it was sent."""
    latency_s: float
    """From the moment it was due until its answer, or until the wait was given up."""
    status: int | None
    """The HTTP status of the answer; None where none came."""
    ride_id: str | None
    error: str
    """Why it was not accepted; empty if it was."""
    kind: str = "ride"
    """What it asked for: a ride, a record or a unicorn."""

    @property
    def accepted(self) -> bool:
        """Whether the client was promised a ride."""
        return not self.error

    @property
    def answer(self) -> Answer:
        """What the ledger needs of it."""
        return Answer(self.arrival, accepted=self.accepted, ride_id=self.ride_id)


class Writer:
    """Appends requests to a CSV file. Each row reaches the file at once, so that another process can count them."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w", newline="", encoding="utf-8", buffering=1)
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, request: Request) -> None:
        """Append one request."""
        self.write_row(to_row(request))

    def write_row(self, row: Sequence[object]) -> None:
        """Append the values of `COLUMNS`."""
        self._rows.writerow(row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def to_row(request: Request) -> tuple[object, ...]:
    """Turn *request* into the values of `COLUMNS`."""
    return (
        request.arrival,
        f"{request.due_s:.6f}",
        f"{request.late_s:.6f}",
        f"{request.latency_s:.6f}",
        request.status or "",
        request.ride_id or "",
        # One line per row, so that rows can be counted as lines.
        " ".join(request.error.split())[:MOST_ERROR_CHARACTERS],
        request.kind,
    )


def read(path: Path) -> Iterator[Request]:
    """Yield the requests in the file *path*."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield Request(
                arrival=int(row["arrival"]),
                due_s=float(row["due_s"]),
                late_s=float(row["late_s"]),
                latency_s=float(row["latency_s"]),
                status=int(row["status"]) if row["status"] else None,
                ride_id=row["ride_id"] or None,
                error=row["error"],
                kind=row["kind"],
            )


def count(path: Path) -> int:
    """Count the rows that are in the file so far; 0 if there is no file yet."""
    try:
        return max(0, path.read_bytes().count(b"\n") - 1)
    except FileNotFoundError:
        return 0


def begin_file(path: Path) -> Path:
    """Name the file beside *path* with the Unix time of the load's begin; it is there before the first arrival."""
    return path.with_suffix(".begin")


def total_file(path: Path) -> Path:
    """Name the file beside *path* with the number of arrivals that were sent, counted apart from their outcomes."""
    return path.with_suffix(".total.json")
