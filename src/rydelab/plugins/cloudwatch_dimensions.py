"""Makes LocalStack's CloudWatch read the metric that was asked for, and no other.

It looks for dimensions by ``LIKE '%TableName=T%'``, so that the metrics of a table's indexes, of its operations and of
every table whose name begins alike are summed up as the table's. On AWS a metric is its name with exactly its
dimensions.
"""

from functools import cache
from typing import Any

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase
from localstack.utils.patch import patch

from rydelab.plugins.supported_version import require_supported_version


class _ExactDimensions(CloudwatchDatabase):  # type: ignore[misc]
    """The same database, which searches for exactly the dimensions that it is given."""

    def __init__(self, database: CloudwatchDatabase) -> None:
        self.__dict__ = database.__dict__

    def _get_ordered_dimensions_with_separator(
        self,
        dims: list[dict[str, str]] | None,
        for_search: bool = False,  # noqa: FBT001, FBT002 (LocalStack's signature)
    ) -> str | None:
        del for_search
        stored: str | None = super()._get_ordered_dimensions_with_separator(dims)
        return stored


@cache
def install() -> None:
    """Change GetMetricData, GetMetricStatistics and alarms; ListMetrics filters as before, as on AWS."""
    require_supported_version("the DynamoDB plug-in")

    @patch(CloudwatchDatabase.get_metric_data_stat)
    def get_metric_data_stat(fn: Any, self: CloudwatchDatabase, *args: Any, **request: Any) -> Any:
        return fn(_ExactDimensions(self), *args, **request)
