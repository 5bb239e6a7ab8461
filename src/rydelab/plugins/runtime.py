"""The emulator's process: LocalStack, once every plug-in of ours has been loaded.

LocalStack itself only logs a warning when a plug-in does not load, and goes on with its own implementation: a lab would
measure something else and not say so. It runs as ``python -m rydelab.plugins.runtime``, in the environment that
``rydelab.lab.emulation.localstack_environment`` writes; with ``--check`` it loads the plug-ins, names them and ends.
"""

import gc
import logging
import os
import sys
import threading
from importlib import metadata

from rydelab.plugins.confinement import confine
from rydelab.plugins.supported_version import UnsupportedVersionError, require_supported_version

PLUGIN_GROUPS = "localstack."
EXIT_PLUGIN_ERROR = 78  # EX_CONFIG of <sysexits.h>

# The plug-ins that LocalStack chooses by a setting, and would replace by its own.
_CHOSEN_BY_SETTING = (
    ("LAMBDA_RUNTIME_EXECUTOR", "localstack.lambda.runtime_executor", "{}"),
    ("PROVIDER_OVERRIDE_DYNAMODB", "localstack.aws.provider", "dynamodb:{}"),
    ("GATEWAY_SERVER", "localstack.runtime.server", "{}"),
)


class PluginError(RuntimeError):
    """A plug-in of ours is not there or does not load."""


def main() -> None:
    """Start LocalStack in this process and serve until it is told to stop."""
    gc.disable()  # see _collect_garbage_when_ready
    try:
        require_supported_version("the lab")
        confine()
        plugins = load_plugins()
    except (PluginError, UnsupportedVersionError) as error:
        print(f"rydelab plug-in error: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_PLUGIN_ERROR)
    if "--check" in sys.argv[1:]:
        print(*plugins, sep="\n")
        return

    # Only now, when it is settled where files go.
    from localstack.runtime.main import main as run_localstack  # noqa: PLC0415

    from rydelab.plugins.status import serve_status  # noqa: PLC0415

    serve_status(plugins)
    # The translator of SAM templates warns of switches and metrics that only AWS's own service has.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    threading.Thread(target=_collect_garbage_when_ready, daemon=True).start()
    run_localstack()


def _collect_garbage_when_ready() -> None:
    """Hardly anything that is made during the start becomes garbage, and looking for it takes a fifth of the start."""
    from localstack.runtime import events  # noqa: PLC0415 (as in main)

    events.infra_ready.wait()
    gc.freeze()
    gc.enable()


def load_plugins() -> tuple[str, ...]:
    """Load each plug-in whose code is in ``rydelab``, as LocalStack would, and return their ``group:name``.

    Raises PluginError naming the first that is absent or does not load.
    """
    ours = [
        entry_point
        for entry_point in metadata.entry_points()
        if entry_point.group.startswith(PLUGIN_GROUPS) and entry_point.module.split(".")[0] == "rydelab"
    ]
    for variable, group, pattern in _CHOSEN_BY_SETTING:
        name = pattern.format(os.environ[variable])
        if not metadata.entry_points(group=group, name=name):
            raise PluginError(
                f"{group}:{name} is not installed: run `make setup`, which installs the entry points of pyproject.toml"
            )
    for entry_point in ours:
        _load(entry_point)
    return tuple(sorted(f"{entry_point.group}:{entry_point.name}" for entry_point in ours))


def _load(entry_point: metadata.EntryPoint) -> None:
    from plux import PluginManager, PluginSpecResolver  # noqa: PLC0415 (as in main)

    name = f"{entry_point.group}:{entry_point.name}"
    try:
        PluginManager(entry_point.group).load(PluginSpecResolver().resolve(entry_point.load()).name)
    except Exception as error:
        raise PluginError(f"{name} ({entry_point.value}) does not load: {type(error).__name__}: {error}") from error


if __name__ == "__main__":
    main()
