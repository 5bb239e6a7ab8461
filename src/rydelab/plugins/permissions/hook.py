"""The entry point through which LocalStack begins to enforce permissions."""

from localstack.runtime import hooks

from rydelab.plugins.permissions.setting import enforced


@hooks.on_infra_start()
def enforce_permissions() -> None:
    """Put the check in front of every service, if the lab was told so. Raises ValueError for a wrong setting."""
    if enforced():
        from rydelab.plugins.permissions.gateway_check import install  # noqa: PLC0415 (it loads five services)

        install()
