"""docs/capacity.md stays true."""

import re
from dataclasses import fields
from pathlib import Path

from rydelab.capacity.settings import Settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "capacity.md"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    values = {field.name: getattr(Settings(), field.name) for field in fields(Settings)}
    assert rows == {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}


def test_every_test_that_is_cited_exists() -> None:
    cited = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", DOCUMENT.read_text()))
    assert len(cited) > 50
    here = Path(__file__).parent
    missing = {(file, name) for file, name in cited if f"\ndef {name}(" not in (here / file).read_text()}
    assert not missing


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    exec(compile(example, str(DOCUMENT), "exec"), {})  # noqa: S102
