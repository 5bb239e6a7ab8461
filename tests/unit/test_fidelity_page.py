"""docs/fidelity.md must not promise a test that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs/fidelity.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| behaviour", "| ---"))
]


def test_every_row_has_four_cells_and_a_verdict() -> None:
    assert ROWS
    for row in ROWS:
        assert len(row) == 4, row
        assert row[1].startswith(("as AWS", "approximated", "absent")), row


def test_every_test_that_is_named_exists() -> None:
    named = [found for row in ROWS for found in re.findall(r"`([\w/]+\.py)::(test_\w+)`", row[3])]
    assert named
    for path, name in named:
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(), f"{path}::{name}"


def test_a_cell_for_a_test_names_one_or_is_empty() -> None:
    for row in ROWS:
        assert not row[3] or "::test_" in row[3], row
