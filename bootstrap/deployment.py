"""Deploys the services of one stage, reads their outputs, and removes them."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path

from bootstrap import published, site, urls
from bootstrap import services as service_folders
from bootstrap.errors import BootstrapError, DeploymentError, InputError
from bootstrap.links import Link, Links, links_of
from bootstrap.order import dependencies, unmet_needs
from bootstrap.plan import Plan, PlannedStack, Request, evaluator_for, make_plan
from bootstrap.stacks import SETTLED, Change, Report, Stack, StackOperations
from bootstrap.target import Clients, Target, connected
from bootstrap.template import Json
from bootstrap.upload import Bucket, template_argument
from bootstrap.values import links_written_out, written_out

type Outputs = dict[str, dict[str, str]]
"""The outputs of each service: service, output, value."""

# Whose a stack is, and a digest of all its parameters: CloudFormation shows only those that are not secret.
_STAGE_TAG, _SERVICE_TAG, _PARAMETERS_TAG = "rydelab:stage", "rydelab:service", "rydelab:parameters"

_HIDDEN = "****"  # what CloudFormation shows of a NoEcho parameter
_AT_ONCE = 4  # stacks; they wait much more than they work


def deploy(
    target: Target,
    *,
    stage: str = "dev",
    design: str | None = None,
    table_mode: str | None = None,
    services: Sequence[str] | None = None,
    services_dir: Path | str | None = None,
    parameters: Mapping[str, str] | None = None,
    progress: Report | None = None,
) -> Outputs:
    """Deploy *services* (None: all in *services_dir*) under *stage*, and return their outputs.

    What is deployed already and has not changed is left alone. Services that do not need each other are deployed at the
    same time. *design* and *table_mode* are for the templates that have such a parameter; each of *parameters* must be
    declared by one template at least. *progress* gets one line per event, from several threads.

    Raises InputError before anything is changed, DeploymentError if a stack fails, NoLabError if nothing answers.
    """
    report = progress or _silent
    given = {"Stage": stage, "Design": design, "TableMode": table_mode}
    folder = Path(services_dir) if services_dir else service_folders.default_dir()
    plan = make_plan(
        Request(
            stage=stage,
            region=target.region,
            services_dir=folder,
            services=services,
            offered={name: value for name, value in given.items() if value is not None},
            parameters=parameters or {},
        )
    )
    folders = service_folders.find(folder)
    for service in plan.stacks:
        site.check(folders[service])
    with connected(target) as clients:
        operations = StackOperations(clients.cloudformation, report)
        _check_needs(clients, plan)
        deployment = _Deployment(target, clients, operations, report, plan)
        deployed = _in_order(plan.dependencies, deployment.deploy_one, operations.stop)
        _publish_sites(target, clients, stacks_of(operations, stage), folders, report)
        return {service: _outputs(target, deployed[service]) for service in sorted(deployed)}


def outputs(target: Target, *, stage: str = "dev") -> Outputs:
    """Return the outputs of every service that is deployed under *stage*."""
    service_folders.check_stage(stage)
    with connected(target) as clients:
        stacks = stacks_of(StackOperations(clients.cloudformation, _silent), stage)
        return {service: _outputs(target, stack) for service, stack in sorted(stacks.items())}


def destroy(
    target: Target,
    *,
    stage: str = "dev",
    services: Sequence[str] | None = None,
    progress: Report | None = None,
) -> list[str]:
    """Delete the stacks of *services* (None: all) under *stage*, dependents first; return the names of the services.

    Raises InputError, before anything is deleted, for a service that is not deployed or that another one still needs.
    """
    service_folders.check_stage(stage)
    report = progress or _silent
    with connected(target) as clients:
        operations = StackOperations(clients.cloudformation, report)
        stacks = stacks_of(operations, stage)
        if unknown := sorted(set(services or ()) - stacks.keys()):
            deployed = ", ".join(sorted(stacks)) or "nothing"
            raise InputError(f"service {unknown[0]!r} is not deployed under stage {stage}; there is: {deployed}")
        doomed = set(stacks if services is None else services)
        needed_by = _needed_by({name: _deployed_links(operations, stack, target) for name, stack in stacks.items()})
        for name in sorted(doomed):
            if staying := sorted(needed_by[name] - doomed):
                raise InputError(f"{name} is needed by {staying[0]}: destroy that too, with --service {staying[0]}")

        def destroy_one(service: str) -> None:
            if bucket := stacks[service].outputs.get(site.BUCKET_OUTPUT):
                site.empty(clients.s3, bucket)
            operations.delete(stacks[service])

        _in_order({name: needed_by[name] for name in doomed}, destroy_one, operations.stop)
        return sorted(doomed)


def stacks_of(operations: StackOperations, stage: str) -> dict[str, Stack]:
    """Return the stacks that were deployed under *stage*, by service."""
    return {
        stack.tags[_SERVICE_TAG]: stack
        for stack in operations.all()
        if stack.tags.get(_STAGE_TAG) == stage and _SERVICE_TAG in stack.tags
    }


class _Deployment:
    """Deploys planned stacks, one per call."""

    def __init__(
        self, target: Target, clients: Clients, operations: StackOperations, report: Report, plan: Plan
    ) -> None:
        self._target = target
        self._clients = clients
        self._operations = operations
        self._report = report
        self._plan = plan

    def deploy_one(self, service: str) -> Stack:
        """Deploy *service*, unless it is deployed just so, and return its stack."""
        planned = self._plan.stacks[service]
        name = planned.stack_name
        tags = {
            _STAGE_TAG: self._plan.stage,
            _SERVICE_TAG: service,
            _PARAMETERS_TAG: _digest(planned.parameters),
        }
        values = self._values(planned)
        template = written_out(planned.package.template, evaluator=planned.evaluator, values=values)
        existing = self._operations.find(name)
        if existing and existing.tags.get(_SERVICE_TAG, service) != service:
            # NAME-STAGE of two services can be the same word: x-y in stage z, and x in stage y-z.
            raise DeploymentError(f"stack {name} belongs to {existing.tags[_SERVICE_TAG]}: choose another stage")
        if existing and self._is_just_so(existing, planned, tags, template):
            self._report(f"{name}: unchanged")
            return existing
        existing = self._operations.ready_for_change(name)
        change = Change(self._uploaded(planned, template), planned.parameters, tags)
        self._report(f"{name}: {'updating' if existing else 'creating'}")
        if not self._operations.apply(name, change, existing):
            self._report(f"{name}: unchanged")
        deployed = self._operations.find(name)
        if deployed is None:
            raise DeploymentError(f"{name} was deleted while it was deployed")
        return deployed

    def _uploaded(self, planned: PlannedStack, template: Mapping[str, Json]) -> dict[str, str]:
        """Upload what the stack is made from, and return *template* as an argument of CreateChangeSet."""
        bucket = Bucket(self._clients.s3, self._target, self._plan.bucket)
        argument, files = template_argument(template, bucket)
        files |= {bundle.key: bundle.body for bundle in planned.package.bundles}
        for key, size in bucket.upload(files):
            self._report(f"{planned.stack_name}: uploaded {key[:12]}… ({size:,} bytes)")
        return argument

    def _values(self, planned: PlannedStack) -> dict[Link, str]:
        """Return the values that *planned* takes from other stacks."""
        values = published.read(self._clients, planned.links.needs)
        for need in planned.links.needs:
            if need not in values:
                raise DeploymentError(
                    f"{planned.stack_name} needs {need}, which does not exist although its provider is deployed: "
                    "was it removed by hand? `destroy` and `deploy` make it anew"
                )
        return values

    def _is_just_so(
        self,
        existing: Stack,
        planned: PlannedStack,
        tags: Mapping[str, str],
        template: Mapping[str, Json],
    ) -> bool:
        # The tags alone would not do: an update by another tool can leave them as they were.
        return (
            existing.status in SETTLED
            and existing.tags.items() >= tags.items()
            and all(existing.parameters.get(key) in {value, _HIDDEN} for key, value in planned.parameters.items())
            and self._operations.template(existing.stack_id) == template
        )


def _publish_sites(
    target: Target, clients: Clients, stacks: Mapping[str, Stack], folders: Mapping[str, Path], report: Report
) -> None:
    """Bring the pages of *stacks* up to date, also of those that were deployed before: they show what is there now."""
    values = {service: _outputs(target, stack) for service, stack in stacks.items()}
    for service, stack in stacks.items():
        bucket = stack.outputs.get(site.BUCKET_OUTPUT)
        folder = folders[service] / site.FOLDER if service in folders else None
        if bucket is None or folder is None or not folder.is_dir():
            continue
        if values[service].get(site.URL_OUTPUT, "").startswith(target.endpoint_url):
            # The page comes from where the APIs are, by whatever name the browser knows that: so it asks there.
            known = {
                other: {name: value.removeprefix(target.endpoint_url) for name, value in of.items()}
                for other, of in values.items()
            }
        else:
            known = values
        if changed := site.publish(clients.s3, bucket, site.files(folder, known)):
            report(f"{stack.name}: uploaded {changed} file{'s' if changed > 1 else ''} of its page")


def _check_needs(clients: Clients, plan: Plan) -> None:
    """Raise InputError for a need that neither the plan nor the lab meets."""
    unmet = unmet_needs({service: stack.links for service, stack in plan.stacks.items()})
    known = published.read(clients, unmet) if unmet else {}
    for need, (service, where) in unmet.items():
        if need in known:
            continue
        elsewhere = [name for name, links in plan.others.items() if need in links.provides]
        hint = (
            f"{elsewhere[0]} provides it: deploy it first, or as well, with --service {elsewhere[0]}"
            if elsewhere
            else "no service provides it with these parameters, and the lab does not have it"
        )
        raise InputError(f"{service}: {where} needs {need}; {hint}")


def _in_order[T](
    graph: Mapping[str, Collection[str]], work: Callable[[str], T], stop: Callable[[], None]
) -> dict[str, T]:
    """Call *work* with each key of *graph* after its dependencies, independent ones at the same time.

    After a failure nothing new is begun; what is under way is waited for. Raises the failure, or one BootstrapError for
    several; the message says what was left out.
    """
    done: dict[str, T] = {}
    failures: dict[str, BaseException] = {}
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    running: dict[Future[T], str] = {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bootstrap") as pool:
        try:
            while sorter.is_active():
                if not failures:
                    running |= {pool.submit(work, name): name for name in sorter.get_ready()}
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    if (failure := future.exception()) is not None:
                        failures[name] = failure
                    else:
                        done[name] = future.result()
                        sorter.done(name)
        except BaseException:  # Ctrl-C among them: the threads must not wait for CloudFormation any longer
            stop()
            raise
    _raise(failures, left_out=sorted(graph.keys() - done.keys() - failures.keys()))
    return done


def _raise(failures: Mapping[str, BaseException], left_out: Sequence[str]) -> None:
    for failure in failures.values():
        if not isinstance(failure, BootstrapError):
            raise failure  # `connected` says what a boto3 error means
    if failures:
        skipped = [f"therefore left as it was: {', '.join(left_out)}"] if left_out else []
        raise DeploymentError("\n".join([*map(str, failures.values()), *skipped]))


def _deployed_links(operations: StackOperations, stack: Stack, target: Target) -> Links:
    template = operations.template(stack.stack_id)
    if not isinstance(template, dict):
        return Links(frozenset(), {})  # changed by another tool, in YAML; or its first deployment is not done
    evaluator = evaluator_for(template, stack=stack.name, region=target.region, parameters=stack.parameters)
    try:
        links = links_of(template, evaluator=evaluator, parameters=stack.parameters)
        return Links(links.provides, {**links.needs, **dict.fromkeys(links_written_out(template), "template")})
    except (InputError, KeyError):
        return Links(frozenset(), {})  # a stack that cannot be understood must still be one that can be deleted


def _needed_by(links: Mapping[str, Links]) -> dict[str, set[str]]:
    try:
        graph = dependencies(links)
    except InputError:  # a cycle or a name twice: made by hand, and no order is right
        graph = {name: set() for name in links}
    return {name: {other for other in graph if name in graph[other]} for name in graph}


def _outputs(target: Target, stack: Stack) -> dict[str, str]:
    return {name: urls.reachable(value, target.endpoint_url) for name, value in sorted(stack.outputs.items())}


def _digest(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(values.items())).encode()).hexdigest()


def _silent(_: str) -> None:
    """Report nothing."""
