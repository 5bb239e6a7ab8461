"""The environment variables that LocalStack 4.14.0 is started with. What it reads is in its ``config.py``."""

import re
from collections.abc import Mapping

from rydelab.settings import Settings

# What any child process needs of the caller's environment. Nothing else gets through: a LocalStack setting, a proxy or
# real credentials in someone's shell must not change a measurement.
_PASSED_ON = re.compile(r"PATH|LD_LIBRARY_PATH|HOME|USER|LANG|LC_.*|TZ|PYTHON.*|VIRTUAL_ENV|RYDELAB_.*")

_EAGER_SERVICES = (
    "apigateway",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "iam",
    "lambda",
    "logs",
    "s3",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
"""What a deployment of the services touches. Loaded at the start, so that no first request pays for it."""

_LOG_LEVELS = (
    "localstack.deprecations=ERROR",  # it takes TMPDIR for a setting of its own
    # An execution that fails is a result, which its history has; here it would be a page for each state.
    "localstack.services.stepfunctions.asl.component.eval_component=CRITICAL",
)


def localstack_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return LocalStack's variables for a lab with *settings*; *environ* passes on only what any program needs."""
    lab_dir = settings.lab_dir
    passed_on = {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)}
    return passed_on | {
        # Where it listens, and the address that it puts into queue URLs and the like.
        "GATEWAY_LISTEN": f"127.0.0.1:{settings.port}",
        "GATEWAY_SERVER": "rydelab",
        "LOCALSTACK_HOST": f"127.0.0.1:{settings.port}",
        "SQS_ENDPOINT_STRATEGY": "path",  # the other strategies need names that resolve to this machine
        "RYDELAB_CLOCK_SPEED": f"{settings.clock_speed:g}",
        "RYDELAB_ENFORCE_IAM": "1" if settings.enforce_iam else "0",
        # Every file below the lab's folder.
        "RYDELAB_LAB_DIR": str(lab_dir),
        "FILESYSTEM_ROOT": str(lab_dir / "localstack"),
        "OVERRIDE_IN_DOCKER": "0",  # it would guess from files of the machine, and then ignore FILESYSTEM_ROOT
        "CONFIG_DIR": str(lab_dir / "localstack"),  # else ~/.localstack
        # Gone with each start: plux takes its list of plug-ins for current if they changed less than two minutes ago.
        "XDG_CACHE_HOME": str(lab_dir / "tmp" / "cache"),
        "TMPDIR": str(lab_dir / "tmp"),
        # Nobody's credentials or profiles.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        # No call to the outside.
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "SKIP_INFRA_DOWNLOADS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # Calls between its own services go to the gateway in the same thread, not through a socket to itself.
        "IN_MEMORY_CLIENT": "1",
        # Our plug-ins.
        "LAMBDA_RUNTIME_EXECUTOR": "rydelab",
        "PROVIDER_OVERRIDE_DYNAMODB": "rydelab",
        # A resource type that nothing implements fails by name instead of being deployed as nothing.
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "0",
        # Start-up, and the log: at "info" it has a line for each request, which costs time.
        "SERVICES": ",".join(_EAGER_SERVICES),
        "EAGER_SERVICE_LOADING": "1",
        "STRICT_SERVICE_LOADING": "0",  # other services are loaded when they are first used
        "LS_LOG": "warn",
        # Twisted, about a package that only a TLS client would need.
        "PYTHONWARNINGS": "ignore:You do not have a working installation of the service_identity module",
        "LOG_LEVEL_OVERRIDES": ",".join(_LOG_LEVELS),
    }
