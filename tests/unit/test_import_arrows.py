"""Imports point one way (docs/design.md, "The tree"): no part imports another that is not in its row here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# For each part: the folder or file with its source, and what it may import of ours and of the heavy libraries.
ARROWS = {
    "services": ("services", {"boto3", "botocore"}),
    "bootstrap": ("bootstrap", {"boto3", "botocore"}),
    "loadtests": ("loadtests", {"rydelab.lab", "rydelab.settings", "rydelab.errors", "locust", "gevent"}),
    "rydelab.errors": ("src/rydelab/errors.py", set()),
    "rydelab.faults": ("src/rydelab/faults.py", set()),
    "rydelab.settings": ("src/rydelab/settings.py", {"rydelab.errors"}),
    "rydelab.cli": ("src/rydelab/cli.py", {"rydelab.settings", "rydelab.errors"}),
    "rydelab.capacity": ("src/rydelab/capacity", set()),
    "rydelab.simulator": ("src/rydelab/simulator", {"rydelab.capacity"}),
    "rydelab.report": ("src/rydelab/report", {"rydelab.capacity"}),
    "rydelab.iam": ("src/rydelab/iam", set()),
    "rydelab.workers": ("src/rydelab/workers", {"awslambdaric"}),
    "rydelab.plugins": (
        "src/rydelab/plugins",
        {"rydelab.capacity", "rydelab.iam", "rydelab.workers", "rydelab.faults"}
        | {"localstack", "moto", "boto3", "botocore"},
    ),
    "rydelab.lab": (
        "src/rydelab/lab",
        {
            *("rydelab.cli", "rydelab.settings", "rydelab.errors", "rydelab.faults", "rydelab.report", "bootstrap"),
            *("rydelab.capacity", "rydelab.simulator", "rydelab.workers", "boto3", "botocore", "locust", "gevent"),
        },
    ),
}
PURE = ("rydelab.capacity", "rydelab.simulator", "rydelab.report", "rydelab.iam")
HEAVY = {"localstack", "moto", "boto3", "botocore", "locust", "gevent", "awslambdaric"}


def part_of(module: str) -> str | None:
    """Return the part of ours, or the heavy library, that *module* belongs to; None for any other library."""
    first, *rest = module.split(".")
    if first == "rydelab":
        return f"rydelab.{rest[0]}" if rest else None
    return first if first in HEAVY or first in ARROWS else None


def imported_parts(source: str) -> Iterator[str]:
    """Yield the part of each module that *source* imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (part for module in modules if (part := part_of(module)))


def sources(location: str) -> list[Path]:
    path = ROOT / location
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("part", ARROWS)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    location, allowed = ARROWS[part]

    wrong = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in sources(location)
        for imported in sorted(set(imported_parts(path.read_text())))
        if imported not in allowed | {part}
    ]

    assert wrong == []


def test_every_part_of_the_package_is_in_the_table() -> None:
    parts = {
        f"rydelab.{path.stem}"
        for path in (ROOT / "src/rydelab").iterdir()
        if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("_")
    }

    assert parts <= set(ARROWS)


def test_no_part_may_import_the_plugins() -> None:
    assert [part for part, (_, allowed) in ARROWS.items() if "rydelab.plugins" in allowed] == []


def test_imports_are_found_wherever_they_are_written() -> None:
    source = """
import localstack.config as config
from rydelab import plugins
from rydelab.lab.emulation.emulator import start
def later():
    from bootstrap import deploy
    import json
"""

    assert set(imported_parts(source)) == {"localstack", "rydelab.plugins", "rydelab.lab", "bootstrap"}


@pytest.mark.parametrize("package", [name for name in PURE if (ROOT / ARROWS[name][0]).is_dir()])
def test_a_pure_package_loads_nothing_heavy(package: str) -> None:
    program = f"""
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, {package + "."!r}):
    importlib.import_module(module.name)
print(*sorted({HEAVY!r} & set(sys.modules)))
"""

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert loaded.split() == []
