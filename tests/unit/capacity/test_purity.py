import ast
from pathlib import Path

import pytest

import rydelab.capacity

MODULES = sorted(Path(rydelab.capacity.__file__).parent.glob("*.py"))
ALLOWED = {
    "array",
    "base64",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "heapq",
    "itertools",
    "math",
} | {
    "re",
    "struct",
    "rydelab",
    "typing",
    "zlib",
    "zoneinfo",
}
READS_A_FILE_OF_THE_PACKAGE = {"price_file": {"tomllib", "functools", "importlib"}}
CLOCKS = {"now", "today", "utcnow"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_model_reads_no_clock_and_does_no_io(module: Path) -> None:
    allowed = ALLOWED | READS_A_FILE_OF_THE_PACKAGE.get(module.stem, set())
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.module.partition(".")[0] in allowed
            if node.module.startswith("rydelab"):
                assert node.module.startswith("rydelab.capacity")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            owner = node.func.value
            assert not (isinstance(owner, ast.Name) and owner.id in {"datetime", "date"})
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}
