"""The ride request that every load sends. Pure."""

from collections.abc import Mapping
from typing import Any, Final

RIDE_REQUEST: Final[Mapping[str, Any]] = {
    "PickupLocation": {"Latitude": 47.6174755835663, "Longitude": -122.28837066650185}
}
"""The body of ``POST /ride``: a place in Seattle, as in the workshop."""
