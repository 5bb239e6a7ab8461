"""The services as they are deployed: their code, templates and sample events.

Each service is a folder of its own whose code is the package ``handlers``. Lambda never sees two of them together; a
test session does, so here each gets a name of its own. Their imports are relative and do not notice.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3

SERVICES_DIR = Path(__file__).parents[3] / "services"
SERVICES = ("wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record", "lambda-guides")


def module(service: str, name: str) -> Any:
    """Return the module *name* of the service's handlers."""
    return importlib.import_module(f"{_package(service).__name__}.{name}")


def sample_event(service: str, name: str) -> Any:
    """Return the sample event *name* of the service, a fresh copy."""
    return json.loads((SERVICES_DIR / service / "events" / f"{name}.json").read_text())


def sdk_client(service: str) -> Any:
    """Return a real client of the AWS SDK, for a stubber to sit in: it checks what the code asks of AWS."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (no secret)
    )


def _package(service: str) -> ModuleType:
    name = f"deployed_{service.replace('-', '_')}"
    if name not in sys.modules:
        init = SERVICES_DIR / service / "handlers" / "__init__.py"
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(init.parent)])
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        spec.loader.exec_module(package)
    return sys.modules[name]
