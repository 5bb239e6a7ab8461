"""The values that are behind links now: stack exports and parameters in the SSM parameter store."""

from collections.abc import Collection

from bootstrap.links import Link
from bootstrap.target import Clients

_MOST_NAMES_PER_CALL = 10  # of GetParameters


def read(clients: Clients, links: Collection[Link]) -> dict[Link, str]:
    """Return the value of each of *links* that exists."""
    values: dict[Link, str] = {}
    if any(link.kind == "export" for link in links):
        for page in clients.cloudformation.get_paginator("list_exports").paginate():
            for export in page["Exports"]:
                values[Link("export", export["Name"])] = export["Value"]
    names = sorted(link.name for link in links if link.kind == "SSM parameter")
    for start in range(0, len(names), _MOST_NAMES_PER_CALL):
        found = clients.ssm.get_parameters(Names=names[start : start + _MOST_NAMES_PER_CALL], WithDecryption=True)
        for parameter in found["Parameters"]:
            values[Link("SSM parameter", parameter["Name"])] = parameter["Value"]
    return {link: values[link] for link in links if link in values}
