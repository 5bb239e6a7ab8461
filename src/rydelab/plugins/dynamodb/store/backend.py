"""moto's DynamoDB backend over ordered tables, and how it takes the place of moto's own."""

import copy
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from moto.dynamodb import urls
from moto.dynamodb.exceptions import (
    ResourceInUseException,
    ResourceNotFoundException,
    SourceTableNotFoundException,
    TableAlreadyExistsException,
)
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.store.store import Store
from rydelab.plugins.dynamodb.store.table import DEFAULTS, OrderedTable, RestoredOrderedTable, RestoredPITOrderedTable


class OrderedBackend(DynamoDBBackend):  # type: ignore[misc] # moto publishes no types
    """The tables of one account and region.

    moto's operations on tables (create, describe, update, backups, TTL, tags, imports and exports) work on it as on
    moto's own. The data operations are the store's; those that moto's backend has itself are refused, since moto
    changes items in place where ours are copies.
    """

    def __init__(self, region_name: str, account_id: str, *, settings: Settings = DEFAULTS) -> None:
        super().__init__(region_name, account_id)
        self.settings = settings
        self.store = Store(self)

    def reset(self) -> None:
        """Forget all tables."""
        self.__init__(self.region_name, self.account_id, settings=self.settings)  # type: ignore[misc]

    @property
    def _url_module(self) -> ModuleType:
        return urls  # type: ignore[no-any-return] # moto looks beside the class's module otherwise

    def create_table(self, name: str, **description: Any) -> OrderedTable:
        """Create a table as moto does, of our class."""
        if name in self.tables:
            raise ResourceInUseException(f"Table already exists: {name}")
        table = OrderedTable(
            name, account_id=self.account_id, region=self.region_name, settings=self.settings, **description
        )
        self.tables[name] = table
        return table

    def restore_table_from_backup(self, target_table_name: str, backup_arn: str) -> OrderedTable:
        """Restore a backup as moto does, to a table of our class."""
        backup = self.get_backup(backup_arn)
        if target_table_name in self.tables:
            raise TableAlreadyExistsException(target_table_name)
        table = RestoredOrderedTable(
            target_table_name, account_id=self.account_id, region=self.region_name, backup=backup
        )
        self.tables[target_table_name] = table
        return table

    def restore_table_to_point_in_time(self, target_table_name: str, source_table_name: str) -> OrderedTable:
        """Restore a table's items of now as moto does, to a table of our class."""
        try:
            source = self.get_table(source_table_name)
        except ResourceNotFoundException:
            raise SourceTableNotFoundException(source_table_name) from None
        if target_table_name in self.tables:
            raise TableAlreadyExistsException(target_table_name)
        table = RestoredPITOrderedTable(
            target_table_name, account_id=self.account_id, region=self.region_name, source=copy.deepcopy(source)
        )
        self.tables[target_table_name] = table
        return table

    def _not_here(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError("the data operations of an OrderedBackend are its store's")

    put_item = get_item = update_item = delete_item = query = scan = _not_here
    transact_write_items = execute_statement = execute_transaction = batch_execute_statement = _not_here


def install(settings: Settings = DEFAULTS, *, backend: Callable[..., OrderedBackend] = OrderedBackend) -> None:
    """Make moto create its DynamoDB backends by *backend* from now on.

    *settings* are the capacity model's, of which the store takes how items are sized.
    Raises RuntimeError if there are tables already: they would be lost.
    """
    backend_class = partial(backend, settings=settings)
    for account, regions in dynamodb_backends.items():
        for region, present in regions.items():
            if present.tables:
                raise RuntimeError(f"account {account} has tables in {region}; install the store before creating any")
        regions.clear()
        regions.backend = backend_class
    dynamodb_backends.backend = backend_class
