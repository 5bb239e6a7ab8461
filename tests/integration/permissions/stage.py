"""A deployed stage: what its resources are called, which policy statements it has, and how to take one away."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.integration.conftest import Lab

# Resources whose statements `Stage.statements` finds, and those whose name sounds like it and that have none.
WITH_STATEMENTS = {"AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket"}
WRITE_STATEMENTS = {"AWS::Lambda::Permission", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"}
WITHOUT = {"AWS::ApplicationAutoScaling::ScalingPolicy"}


@dataclass(frozen=True)
class Statement:
    """A statement of a deployed policy."""

    name: str
    """For people, such as ``RequestRide: sns:Publish on RidesSnsTopic``."""
    remove: Callable[[], None]
    restore: Callable[[], None]

    @contextmanager
    def absent(self) -> Iterator[None]:
        """Take the statement away for the duration of the block."""
        self.remove()
        try:
            yield
        finally:
            self.restore()


@dataclass
class Stage:
    """One deployed copy of all services."""

    lab: Lab
    name: str
    outputs: dict[str, dict[str, str]]
    resources: dict[str, dict[str, tuple[str, str]]] = field(init=False)
    """By service: logical id, type and physical id."""

    def __post_init__(self) -> None:
        stacks = self.lab.client("cloudformation")
        self.resources = {
            service: {
                one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"])
                for page in stacks.get_paginator("list_stack_resources").paginate(StackName=f"{service}-{self.name}")
                for one in page["StackResourceSummaries"]
            }
            for service in self.outputs
        }

    def output(self, name: str) -> str:
        """Return the output *name*, whichever service has it."""
        return next(outputs[name] for outputs in self.outputs.values() if name in outputs)

    def physical(self, logical: str) -> str:
        """Return the physical id of the resource *logical*, whichever service has it."""
        return next(found[logical][1] for found in self.resources.values() if logical in found)

    def of_type(self, kind: str) -> dict[str, str]:
        """Return the resources of a type: logical and physical id."""
        return {
            logical: physical
            for found in self.resources.values()
            for logical, (its_kind, physical) in found.items()
            if its_kind == kind
        }

    def types_that_may_hide_statements(self) -> set[str]:
        """Return the types of resources that look as if they had statements, and that `statements` does not know."""
        kinds = {kind for found in self.resources.values() for kind, _ in found.values()}
        known = WITH_STATEMENTS | WRITE_STATEMENTS | WITHOUT
        return {kind for kind in kinds - known if "::IAM::" in kind or "Polic" in kind or "Permission" in kind}

    # -- statements ------------------------------------------------------------------------------------------------

    def statements(self) -> list[Statement]:
        """Return every statement of a policy that the stage's templates have made, but for trust policies."""
        readers = {
            "AWS::IAM::Role": self._of_role,
            "AWS::Lambda::Function": self._of_function,
            "AWS::SQS::Queue": self._of_queue,
            "AWS::SNS::Topic": self._of_topic,
            "AWS::S3::Bucket": self._of_bucket,
        }
        return [
            statement
            for kind, read in readers.items()
            for logical, physical in self.of_type(kind).items()
            for statement in read(logical, physical)
        ]

    def _of_role(self, logical: str, name: str) -> Iterator[Statement]:
        iam = self.lab.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]

            def write(text: str | None, policy: str = policy) -> None:
                if text is None:
                    iam.delete_role_policy(RoleName=name, PolicyName=policy)
                else:
                    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)

            yield from self._of_document(logical.removesuffix("Role"), document, write)

    def _of_function(self, logical: str, name: str) -> Iterator[Statement]:
        functions = self.lab.client("lambda")
        try:
            document = json.loads(functions.get_policy(FunctionName=name)["Policy"])
        except functions.exceptions.ResourceNotFoundException:
            return
        for statement in document["Statement"]:
            service, source = statement["Principal"]["Service"], statement["Condition"]["ArnLike"]["AWS:SourceArn"]
            add = {
                "FunctionName": name,
                "StatementId": statement["Sid"],
                "Action": statement["Action"],
                "Principal": service,
                "SourceArn": source,
            }
            yield Statement(
                f"{logical} lets {service} invoke it",
                remove=lambda sid=statement["Sid"]: functions.remove_permission(FunctionName=name, StatementId=sid),
                restore=lambda add=add: functions.add_permission(**add),
            )

    def _of_queue(self, logical: str, url: str) -> Iterator[Statement]:
        sqs = self.lab.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})

        def write(text: str | None) -> None:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text or ""})

        if "Policy" in found:
            yield from self._of_document(f"{logical}'s policy", json.loads(found["Policy"]), write)

    def _of_topic(self, logical: str, arn: str) -> Iterator[Statement]:
        sns = self.lab.client("sns")
        document = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        if document.get("Id") != "__default_policy_ID":
            yield from self._of_document(
                f"{logical}'s policy",
                document,
                lambda text: sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text or ""),
            )

    def _of_bucket(self, logical: str, name: str) -> Iterator[Statement]:
        s3 = self.lab.client("s3")
        try:
            document = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        except s3.exceptions.ClientError:
            return

        def write(text: str | None) -> None:
            if text is None:
                s3.delete_bucket_policy(Bucket=name)
            else:
                s3.put_bucket_policy(Bucket=name, Policy=text)

        yield from self._of_document(f"{logical}'s policy", document, write)

    def _of_document(
        self, whose: str, document: dict[str, Any], write: Callable[[str | None], None]
    ) -> Iterator[Statement]:
        """Yield the statements of *document*; *write* takes its text, or None if nothing is left of it."""
        for index, statement in enumerate(document["Statement"]):
            left = [*document["Statement"][:index], *document["Statement"][index + 1 :]]
            without = json.dumps({**document, "Statement": left}) if left else None
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            yield Statement(
                f"{whose}: {', '.join(actions)} on {self._logical(statement['Resource'])}",
                remove=lambda without=without: write(without),
                restore=lambda: write(json.dumps(document)),
            )

    def _logical(self, arn: str) -> str:
        """Return the logical id of the resource that *arn* names, for a name that is the same in each stage."""
        for found in self.resources.values():
            for logical, (_, physical) in found.items():
                name = physical.rpartition("/")[2]
                if arn == physical or any(arn.endswith(end) for end in (f"/{name}", f":{name}", f":::{name}/*")):
                    return logical
        raise AssertionError(f"{arn} is no resource of the stage")
