"""Templates made ready for CloudFormation: local code paths become objects in S3."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootstrap.bundle import Bundle, bundle_code, bundle_file
from bootstrap.errors import InputError
from bootstrap.template import Json


@dataclass(frozen=True, slots=True)
class Package:
    """A template that can be deployed."""

    template: dict[str, Json]
    """The template; equal with equal code."""
    bundles: tuple[Bundle, ...]
    """What the template refers to."""


@dataclass(frozen=True, slots=True)
class _LocalPath:
    """A property that names a local file or folder, and how CloudFormation wants it instead."""

    bundle: Callable[[Path], Bundle]
    location: Callable[[str, str], Json]
    """Makes the property from bucket and key."""


def _as_uri(bucket: str, key: str) -> Json:
    return f"s3://{bucket}/{key}"


def _as_bucket_and_key(bucket: str, key: str) -> Json:
    return {"S3Bucket": bucket, "S3Key": key}


def _as_definition(bucket: str, key: str) -> Json:
    return {"Bucket": bucket, "Key": key}


# As `aws cloudformation package` and `sam package` have them, for the services of the lab.
_LOCAL_PATHS: Final[Mapping[tuple[str, str], _LocalPath]] = {
    ("AWS::Serverless::Function", "CodeUri"): _LocalPath(bundle_code, _as_uri),
    ("AWS::Serverless::LayerVersion", "ContentUri"): _LocalPath(bundle_code, _as_uri),
    ("AWS::Serverless::Api", "DefinitionUri"): _LocalPath(bundle_file, _as_uri),
    ("AWS::Serverless::StateMachine", "DefinitionUri"): _LocalPath(bundle_file, _as_uri),
    ("AWS::Lambda::Function", "Code"): _LocalPath(bundle_code, _as_bucket_and_key),
    ("AWS::Lambda::LayerVersion", "Content"): _LocalPath(bundle_code, _as_bucket_and_key),
    ("AWS::StepFunctions::StateMachine", "DefinitionS3Location"): _LocalPath(bundle_file, _as_definition),
}


def package(template: Mapping[str, Json], *, folder: Path, bucket: str) -> Package:
    """Bundle the code that *template* finds in *folder*, and point it to *bucket*.

    Raises InputError for a path without a file.
    """
    packaged = copy.deepcopy(dict(template))
    bundles: dict[Path, Bundle] = {}

    def rewrite(properties: Mapping[str, Json], name: str, local: _LocalPath, where: str) -> Json:
        value = properties[name]
        if not isinstance(value, str) or value.startswith("s3://"):
            return value
        path = (folder / value).resolve()
        if not path.exists():
            raise InputError(f"{where}: {name} {value!r} does not exist")
        if path not in bundles:
            try:
                bundles[path] = local.bundle(path)
            except OSError as error:
                raise InputError(f"{where}: {name} {value!r} cannot be read: {error}") from None
        return local.location(bucket, bundles[path].key)

    for logical_id, resource in packaged["Resources"].items():
        for (type_, name), local in _LOCAL_PATHS.items():
            if resource["Type"] == type_ and name in resource.get("Properties", {}):
                resource["Properties"][name] = rewrite(resource["Properties"], name, local, f"resource {logical_id}")
    shared = packaged.get("Globals", {}).get("Function", {})
    if "CodeUri" in shared:
        local = _LOCAL_PATHS["AWS::Serverless::Function", "CodeUri"]
        shared["CodeUri"] = rewrite(shared, "CodeUri", local, "Globals")
    unique = {bundle.key: bundle for bundle in bundles.values()}
    return Package(packaged, tuple(unique.values()))
