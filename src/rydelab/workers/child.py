"""What happens in a child between the fork and the handler.

The child becomes what AWS's documentation describes: only its own environment variables, only its own code, its layers
and AWS's runtime on the import path, its code directory as the working directory. Then AWS's runtime client takes over.
"""

import contextlib
import gc
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

from rydelab.workers import landlock, linux

# The pages of AWS's documentation give an environment 1,024 file descriptors, processes and threads. The last two
# count per user on Linux, so they cannot be given to one environment.
_MAX_DESCRIPTORS: Final = 1024
_OUTPUT_FD: Final = 1
_TELEMETRY_FD: Final = 3
_FIRST_FOREIGN_FD: Final = 4

_runtime_dir: Path | None = None


def use_runtime_dir(runtime_dir: Path) -> None:
    """Make the packages of AWS's runtime, and no others, importable beside the standard library."""
    global _runtime_dir  # noqa: PLW0603 (set once, in the warm parent, before it forks)
    _runtime_dir = runtime_dir
    sys.path.insert(0, str(runtime_dir))


def run(document_fd: int, output_fd: int, *, parent_pid: int) -> NoReturn:
    """Turn this freshly forked process into an execution environment; never returns."""
    status = 1
    try:
        linux.die_with_parent()
        if os.getppid() != parent_pid:  # the parent died before the kernel was told
            os._exit(1)
        os.setsid()
        _connect_output(output_fd)
        with os.fdopen(os.dup(document_fd), "rb") as document:
            start_up: dict[str, Any] = json.load(document)
        if _shadows_runtime(start_up):
            _exec_fresh_interpreter(document_fd)
        os.closerange(_FIRST_FOREIGN_FD, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        status = _run_handler(start_up)
    except SystemExit as end:
        status = _exit_status(end)
    except BaseException:  # noqa: BLE001 (the last frame of a process: report as Python itself would)
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(status)


def main() -> NoReturn:
    """Run in a fresh interpreter, for a bundle with a boto3 of its own. ``argv``: document descriptor, runtime dir."""
    linux.hide_memory()  # exec has undone it
    with os.fdopen(int(sys.argv[1]), "rb") as document:
        start_up = json.load(document)
    use_runtime_dir(Path(sys.argv[2]))
    sys.exit(_run_handler(start_up))


def _connect_output(output_fd: int) -> None:
    # All descriptors of the warm parent are above 2 and close-on-exec; 0 to 3 are the child's own.
    null_fd = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null_fd, 0)
    os.dup2(output_fd, _OUTPUT_FD)
    os.dup2(output_fd, 2)


def _exec_fresh_interpreter(document_fd: int) -> NoReturn:
    os.lseek(document_fd, 0, os.SEEK_SET)
    os.set_inheritable(document_fd, True)
    package_root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {package_root!r}); from rydelab.workers import child; child.main()"
    command = [sys.executable, "-I", "-S", "-c", code, str(document_fd), str(_runtime_dir)]
    os.execve(sys.executable, command, linux.loader_environment())  # noqa: S606 (it must replace this process)


def _shadows_runtime(start_up: dict[str, Any]) -> bool:
    """Tell whether the function brings a module that is already imported here, such as its own boto3."""
    if _runtime_dir is None:
        raise RuntimeError("use_runtime_dir has not been called")
    present = {path.name.split(".")[0] for path in _runtime_dir.iterdir()} | set(sys.modules)
    brought = (Path(directory) for directory in _import_dirs(start_up))
    return any(
        path.name.split(".")[0] in present
        for directory in brought
        if directory.is_dir()
        for path in directory.iterdir()
        if path.is_dir() or path.suffix in {".py", ".so"}
    )


def _import_dirs(start_up: dict[str, Any]) -> list[str]:
    """Return where a function's own modules are, in AWS's order: its code, PYTHONPATH, its layers."""
    layer_dirs = [Path(layer) / "python" for layer in start_up["layer_dirs"]]
    versioned = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    python_path = start_up["environment"].get("PYTHONPATH", "").split(os.pathsep)
    return [
        start_up["code_dir"],
        *filter(None, python_path),
        *(str(layer_dir / versioned) for layer_dir in layer_dirs),
        *(str(layer_dir) for layer_dir in layer_dirs),
    ]


def _run_handler(start_up: dict[str, Any]) -> int:
    os.dup2(_OUTPUT_FD, _TELEMETRY_FD)
    os.environ.clear()
    os.environ.update(start_up["environment"])
    os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(_TELEMETRY_FD)
    time.tzset()
    os.chdir(start_up["code_dir"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_MAX_DESCRIPTORS, hard), min(_MAX_DESCRIPTORS, hard)))
    _forget_the_lab(start_up)
    linux.drop_privileges()
    landlock.confine(start_up["writable_dirs"])
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = ["bootstrap.py", start_up["handler"]]
    gc.enable()

    from awslambdaric import bootstrap, lambda_runtime_client  # noqa: PLC0415 (reads the environment when imported)

    # Without its polling thread: the thread exists so that Python signal handlers run while the client waits, and
    # this lab sends no signal that could be handled (AWS sends SIGKILL to a function without extensions, and so do we).
    client = lambda_runtime_client.LambdaRuntimeClient(
        os.environ["AWS_LAMBDA_RUNTIME_API"], use_thread_for_polling_next=False
    )
    bootstrap.run(start_up["handler"], client)
    return 0


def _forget_the_lab(start_up: dict[str, Any]) -> None:
    """Leave on the import path what AWS has there, and in the module table nothing of the lab."""
    standard_library = [path for path in sys.path if path.startswith((sys.base_prefix, sys.base_exec_prefix))]
    standard_library = [path for path in standard_library if "site-packages" not in path]
    sys.path[:] = [*_import_dirs(start_up), str(_runtime_dir), *standard_library]
    sys.path_importer_cache.clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "rydelab"]:
        del sys.modules[name]
    sys.dont_write_bytecode = True  # the code directory is read-only on AWS
    logging.root.handlers.clear()


def _exit_status(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1
