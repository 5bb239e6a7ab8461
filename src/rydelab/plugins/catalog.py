"""Says what this LocalStack can do, from what is installed.

LocalStack's own catalogue asks its maker's server, over the network, whenever something unsupported is called. Without
one it deploys a resource type that it does not know as nothing, and reports success.
"""

from localstack.services.cloudformation.resource_provider import CloudFormationResourceProviderPlugin
from localstack.utils.catalog.catalog import CatalogPlugin
from localstack.utils.catalog.common import (
    AwsServicesSupportInLatest,
    CloudFormationResourcesSupportAtRuntime,
    CloudFormationResourcesSupportInLatest,
)
from plux import PluginManager

CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


class InstalledCatalogPlugin(CatalogPlugin):  # type: ignore[misc]
    """Asks nobody."""

    # The name that LocalStack prefers to its own catalogue.
    name = "aws-catalog-remote-state-with-license"

    def get_aws_service_status(
        self, service_name: str, operation_name: str | None = None
    ) -> AwsServicesSupportInLatest | None:
        """Return why a call failed that nothing here implements; LocalStack asks only then."""
        del service_name, operation_name
        return AwsServicesSupportInLatest.NOT_SUPPORTED

    def get_cloudformation_resource_status(
        self,
        resource_name: str,
        service_name: str,
        is_pro_resource: bool = False,  # noqa: FBT001, FBT002 (LocalStack's signature)
    ) -> CloudFormationResourcesSupportAtRuntime | CloudFormationResourcesSupportInLatest:
        """Return whether a plug-in is installed for the resource type *resource_name*."""
        del service_name, is_pro_resource
        type_name = CUSTOM_RESOURCE if resource_name.startswith("Custom::") else resource_name
        if PluginManager(CloudFormationResourceProviderPlugin.namespace).exists(type_name):
            return CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return CloudFormationResourcesSupportInLatest.NOT_SUPPORTED
