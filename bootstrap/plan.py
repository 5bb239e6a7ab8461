"""What a deployment will do, worked out from files and parameters alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap import services as service_folders
from bootstrap.errors import InputError
from bootstrap.links import Links, links_of
from bootstrap.order import dependencies
from bootstrap.package import Package, package
from bootstrap.parameters import check_all_used, parameters_for
from bootstrap.services import Service, stack_name

LAB_ACCOUNT_ID = "000000000000"  # LocalStack's, for the credentials that we use


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """One stack as it shall be."""

    service: str
    stack_name: str
    package: Package
    parameters: Mapping[str, str]
    links: Links


@dataclass(frozen=True, slots=True)
class Plan:
    """The stacks of a deployment, and their order."""

    stage: str
    bucket: str
    stacks: Mapping[str, PlannedStack]
    """By service."""
    dependencies: Mapping[str, set[str]]
    """The services that each one must wait for."""
    others: Mapping[str, Links]
    """The links of the services in the same folder that are not deployed now, to say where an unmet need is met."""


def bucket_for(region: str) -> str:
    """Return the name of the bucket that holds the code bundles."""
    return f"rydelab-code-{LAB_ACCOUNT_ID}-{region}"


def make_plan(
    *,
    stage: str,
    region: str,
    services_dir: Path,
    services: Sequence[str] | None,
    offered: Mapping[str, str],
    parameters: Mapping[str, str],
) -> Plan:
    """Plan the deployment of *services* (None: all in *services_dir*).

    *offered* parameters are for the templates that declare them; each of *parameters* must be declared by one at least.
    Raises InputError for whatever is wrong with templates, code paths, parameters or the links between services.
    """
    service_folders.check_stage(stage)
    folders = service_folders.find(services_dir)
    wanted = service_folders.find(services_dir, services)
    if not wanted:
        raise InputError("no service is named")
    check_all_used(wanted, parameters)
    bucket = bucket_for(region)
    stacks = {}
    for service in wanted:
        values = parameters_for(service, offered=offered, required_use=parameters)
        stacks[service.name] = PlannedStack(
            service=service.name,
            stack_name=stack_name(service.name, stage),
            package=package(service, bucket=bucket),
            parameters=values,
            links=_links(service, stage, region, values),
        )
    others = {}
    for service in folders:
        if service.name not in stacks:
            try:
                values = parameters_for(service, offered=offered, required_use=parameters)
                others[service.name] = _links(service, stage, region, values)
            except InputError:
                continue  # not ours to judge: it is not deployed
    graph = dependencies({name: stack.links for name, stack in stacks.items()})
    return Plan(stage, bucket, stacks, graph, others)


def pseudo_parameters(*, stack: str, region: str) -> dict[str, str]:
    """Return the pseudo parameters that are known before a deployment."""
    return {
        "AWS::AccountId": LAB_ACCOUNT_ID,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackName": stack,
    }


def _links(service: Service, stage: str, region: str, parameters: Mapping[str, str]) -> Links:
    pseudo = pseudo_parameters(stack=stack_name(service.name, stage), region=region)
    try:
        return links_of(service.template, parameters=parameters, pseudo=pseudo)
    except InputError as error:
        raise InputError(f"{service.name}: {error}") from None
