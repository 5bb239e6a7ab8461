"""Puts the mends into LocalStack's engine, once, before it starts."""

from localstack.runtime import hooks

from rydelab.plugins.cloudformation import (
    alias_updates,
    false_conditions,
    function_properties,
    function_waits,
    inline_code,
    needless_replacement,
    replaced_resources,
    resource_pace,
    rest_api_updates,
    rollback,
    sam_transform_race,
    silent_non_updates,
    stack_deletion,
    table_updates,
)
from rydelab.plugins.supported_version import require_supported_version

_MENDS = (
    resource_pace,
    function_waits,
    inline_code,
    sam_transform_race,
    silent_non_updates,
    table_updates,
    rest_api_updates,
    alias_updates,
    function_properties,
    false_conditions,
    needless_replacement,
    replaced_resources,
    rollback,
    stack_deletion,
)


@hooks.on_infra_start()
def mend_cloudformation() -> None:
    """Install every mend. Raises UnsupportedVersionError for another LocalStack than they are written for."""
    require_supported_version("the CloudFormation plug-in")
    for mend in _MENDS:
        mend.install()
