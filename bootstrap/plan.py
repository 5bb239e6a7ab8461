"""What a deployment will do, worked out from files and parameters alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import services as service_folders
from bootstrap.conditions import decided
from bootstrap.errors import InputError
from bootstrap.intrinsics import Evaluator
from bootstrap.links import Links, links_of
from bootstrap.order import dependencies
from bootstrap.package import Package, package
from bootstrap.parameters import check_all_used, is_in_parameter_store, parameters_for
from bootstrap.services import Service, stack_name
from bootstrap.template import Json

LAB_ACCOUNT_ID = "000000000000"  # LocalStack's, for the credentials that we use


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """One stack as it shall be."""

    service: str
    stack_name: str
    package: Package
    parameters: Mapping[str, str]
    evaluator: Evaluator
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


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for."""

    stage: str
    region: str
    services_dir: Path
    services: Sequence[str] | None = None
    """Which services; None for all in `services_dir`."""
    offered: Mapping[str, str] = field(default_factory=dict)
    """Parameters for the templates that declare them."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of which each must be declared by one template at least; they win."""


def make_plan(request: Request) -> Plan:
    """Plan what *request* asks for.

    Raises InputError for whatever is wrong with templates, code paths, parameters or the links between services.
    """
    service_folders.check_stage(request.stage)
    folders = service_folders.find(request.services_dir)
    names = list(folders) if request.services is None else sorted(set(request.services))
    for name in names:
        if name not in folders:
            raise InputError(f"no service {name!r} in {request.services_dir}; there are: {', '.join(folders)}")
    if not names:
        raise InputError("no service is named")
    services = [service_folders.read(folders[name]) for name in names]
    check_all_used(services, request.parameters)
    stacks = {service.name: _planned(service, request) for service in services}
    others = {}
    for name in folders.keys() - stacks.keys():
        try:
            others[name] = _planned(service_folders.read(folders[name]), request).links
        except InputError:
            continue  # not ours to judge: it is not deployed
    graph = dependencies({name: stack.links for name, stack in stacks.items()})
    return Plan(request.stage, bucket_for(request.region), stacks, graph, others)


def evaluator_for(template: Mapping[str, Json], *, stack: str, region: str, parameters: Mapping[str, str]) -> Evaluator:
    """Make an evaluator that knows of *template* what is known before a deployment."""
    pseudo = {
        "AWS::AccountId": LAB_ACCOUNT_ID,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackName": stack,
    }
    declarations = template.get("Parameters", {})
    known = {
        name: value
        for name, value in parameters.items()
        if name in declarations and not is_in_parameter_store(declarations[name])
    }
    return Evaluator(template=template, references={**pseudo, **known})


def _planned(service: Service, request: Request) -> PlannedStack:
    stack = stack_name(service.name, request.stage)
    values = parameters_for(service, offered=request.offered, required_use=request.parameters)
    evaluator = evaluator_for(service.template, stack=stack, region=request.region, parameters=values)
    try:
        template = decided(service.template, evaluator)
        return PlannedStack(
            service=service.name,
            stack_name=stack,
            package=package(template, folder=service.folder, bucket=bucket_for(request.region)),
            parameters=values,
            evaluator=evaluator,
            links=links_of(template, evaluator=evaluator, parameters=values),
        )
    except InputError as error:
        raise InputError(f"{service.name}: {error}") from None
