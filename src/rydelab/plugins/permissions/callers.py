"""Who calls: the role behind a request's credentials, and the policies that it has at this moment.

Each execution environment has credentials of its own (LocalStack asks STS for them when it starts one), so an access
key names a role and a session. A key that STS did not hand out is the owner's, who may do everything, and so is a
request without credentials, except to S3, whose objects a bucket's policy can let anybody read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from localstack.aws.api import RequestContext
from localstack.utils.patch import patch
from moto.iam.models import Policy as ManagedPolicy
from moto.iam.models import Role, iam_backends
from moto.sts.models import AssumedRole, STSBackend

from rydelab.iam.document import Policy
from rydelab.iam.evaluation import Limit
from rydelab.iam.principals import Anybody, RoleSession, Service
from rydelab.plugins.permissions.documents import policy

_CREDENTIAL: Final = "Credential="
ANYBODYS_KEY: Final = "anybody"
"""For a request that the lab makes on behalf of somebody without credentials."""
_WITHOUT_CREDENTIALS: Final = ("injectedaccesskey", ANYBODYS_KEY)
"""The first is what LocalStack puts into a request that has none."""


@dataclass(frozen=True, slots=True)
class RoleCaller:
    """A role session, and the role as IAM keeps it."""

    session: RoleSession
    role: Role | None
    """None if there is no such role (any more): it has no policies then."""
    session_policy: str | None = None
    """What AssumeRole was given as Policy."""

    def identity(self) -> list[Policy]:
        """Return the role's inline and managed policies."""
        if self.role is None or iam_backends[self.role.account_id][self.role.partition].roles.get(self.role.id) is None:
            return []
        managed = tuple(self.role.managed_policies.values())
        return [*map(policy, tuple(self.role.policies.values())), *map(_of_managed, managed)]

    def limits(self) -> list[Limit]:
        """Return what bounds the role: its permissions boundary, and the session's own policy."""
        limits = []
        if self.role is not None and (boundary := self.role.permissions_boundary_arn):
            found = iam_backends[self.role.account_id][self.role.partition].managed_policies.get(boundary)
            limits.append(Limit("permissions boundary", [_of_managed(found)] if found else []))
        if self.session_policy:
            limits.append(Limit("session policy", [policy(self.session_policy)]))
        return limits

    def tag(self, key: str) -> str | None:
        """Return the value of the role's tag *key*, which is in lower case."""
        tags = self.role.tags if self.role is not None else ()
        return next((str(tag["Value"]) for tag in tags if tag["Key"].lower() == key), None)


type Caller = RoleCaller | Service | Anybody

_sessions: dict[str, RoleCaller] = {}


def install() -> None:
    """Remember whose the access keys are that STS hands out from now on."""

    @patch(STSBackend.assume_role)
    def assume_role(fn: Callable[..., AssumedRole], self: STSBackend, **request: Any) -> AssumedRole:
        assumed = fn(self, **request)
        caller = of_role(assumed.role_arn, assumed.session_name, session_policy=assumed.policy)
        _sessions[assumed.access_key_id] = caller
        return assumed


def of_request(context: RequestContext) -> Caller | None:
    """Return who makes a request; None for the owner, and for the lab itself."""
    request, internal = context.request, context.internal_request_params
    key = request.headers.get("Authorization", "").partition(_CREDENTIAL)[2].partition("/")[0]
    if key in _WITHOUT_CREDENTIALS and context.service.service_name == "s3":
        signed_url = request.args.get("X-Amz-Credential", "").partition("/")[0] or request.args.get("AWSAccessKeyId")
        return _sessions.get(signed_url) if signed_url else Anybody()
    if (caller := _sessions.get(key)) is None and internal and internal.get("service_principal"):
        return Service(internal["service_principal"], context.region)
    return caller


def of_role(role_arn: str, session_name: str, *, session_policy: str | None = None) -> RoleCaller:
    """Return the session of a role that a service assumes without asking STS."""
    account_id = role_arn.split(":")[4]
    backend = iam_backends[account_id][role_arn.split(":")[1]]
    name = role_arn.rpartition("/")[2]
    role = next((role for role in tuple(backend.roles.values()) if role.name == name), None)
    session = RoleSession(account_id, role_arn, session_name, role_id=role.id if role else "")
    return RoleCaller(session, role, session_policy)


def _of_managed(managed: ManagedPolicy) -> Policy:
    return policy(next(version.document for version in managed.versions if version.is_default))
