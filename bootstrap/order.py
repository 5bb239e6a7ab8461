"""The order of deployment: a stack comes after those that provide what it needs."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from bootstrap.errors import InputError
from bootstrap.links import Link, Links


def providers_of(links: Mapping[str, Links]) -> dict[Link, str]:
    """Return which service provides each link. Raises InputError if two provide the same one."""
    providers: dict[Link, str] = {}
    for service, its_links in links.items():
        for link in sorted(its_links.provides):
            if link in providers:
                raise InputError(f"{providers[link]} and {service} both provide {link}")
            providers[link] = service
    return providers


def dependencies(links: Mapping[str, Links]) -> dict[str, set[str]]:
    """Return, for each service, the services that must be deployed before it. Raises InputError for a cycle."""
    providers = providers_of(links)
    graph = {
        service: {providers[need] for need in its_links.needs if need in providers}
        for service, its_links in links.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1]  # each is needed by the next one
        steps = []
        for provider, service in reversed(list(pairwise(cycle))):
            need = next(need for need in links[service].needs if providers.get(need) == provider)
            steps.append(f"{service} needs {need} of {provider}")
        raise InputError(f"the services cannot be put in order: {', '.join(steps)}") from None
    return graph


def unmet_needs(links: Mapping[str, Links]) -> dict[Link, tuple[str, str]]:
    """Return the needs that no service in *links* provides: the service that has each, and where in its template."""
    providers = providers_of(links)
    return {
        need: (service, where)
        for service, its_links in links.items()
        for need, where in its_links.needs.items()
        if need not in providers
    }
